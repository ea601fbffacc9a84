// Allowed differences inside presence payloads: `phx_ref` is another string, but the same one wherever the recording
// has the same one; `online_at` is the time of the join in milliseconds.

const CLOCK_TOLERANCE = 10 * 60_000

export class PresenceContext {
  /** recorded phx_ref -> the one seen now */
  #bound = new Map()
  #taken = new Set()
  /** recorded phx_ref -> refs seen now, any of which it may be (sockets of one user that joined at one instant) */
  #candidates = new Map()

  clone() {
    const copy = new PresenceContext()
    copy.adopt(this)
    return copy
  }

  adopt(other) {
    this.#bound = new Map(other.#bound)
    this.#taken = new Set(other.#taken)
    this.#candidates = new Map(other.#candidates)
  }

  special(key, expected, actual) {
    if (key === "phx_ref") return this.bind(expected, actual)
    if (key === "online_at" && typeof expected === "number") return checkOnlineAt(actual)
    return undefined
  }

  /** Lets each of `recorded` be any of `actual`, decided by what is seen later. */
  offer(recorded, actual) {
    for (const ref of recorded) this.#candidates.set(ref, actual)
  }

  /** @returns {string | null} what is wrong with `actual` in the place of the recorded ref */
  bind(recorded, actual) {
    if (typeof actual !== "string" || actual === "") return `phx_ref is ${JSON.stringify(actual)}`
    const bound = this.#bound.get(recorded)
    if (bound !== undefined) return bound === actual ? null : `phx_ref is not the one of that presence: ${actual}`
    if (this.#taken.has(actual)) return `phx_ref belongs to another presence: ${actual}`
    const candidates = this.#candidates.get(recorded)
    if (candidates && !candidates.includes(actual)) return `phx_ref is none of those that joined: ${actual}`
    this.#bound.set(recorded, actual)
    this.#taken.add(actual)
    return null
  }
}

function checkOnlineAt(value) {
  if (!Number.isInteger(value)) return `online_at is no whole number: ${JSON.stringify(value)}`
  return Math.abs(value - Date.now()) < CLOCK_TOLERANCE ? null : `online_at is not now, in milliseconds: ${value}`
}
