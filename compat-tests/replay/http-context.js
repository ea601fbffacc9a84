// Values that the server makes up and later requests name again: ids, keys, tokens. Recorded values are mapped to the
// ones seen now, in answers as they come and in requests before they go.

import { isSignedBy, readJwt } from "../wire/jwt.js"
import { match } from "./match.js"

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
const UUID_V1 = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Timestamps of the day of the recording are "now"; those that requests set are older and come back as they were. */
const RECORDED_DAY = "2026-11-2"
const CLOCK_TOLERANCE = 10 * 60_000

/** The last id of the original database, by kind. Ids above may have gaps. */
const SEEDED = { organization: 2, application: 2, token: 6 }

export class HttpContext {
  #ids = { organization: new Map(), application: new Map(), token: new Map() }
  #texts = new Map()

  constructor(secret) {
    this.secret = secret
  }

  /** Sets whose ids the answer to this request carries. */
  about(path) {
    this.kind = /\/tokens/.test(path) ? "token" : /\/applications/.test(path) ? "application" : "organization"
  }

  clone() {
    const copy = new HttpContext(this.secret)
    copy.adopt(this)
    return copy
  }

  adopt(other) {
    this.kind = other.kind
    this.#texts = new Map(other.#texts)
    for (const kind of Object.keys(SEEDED)) this.#ids[kind] = new Map(other.#ids[kind])
  }

  /** A recorded path or body, as it has to be sent now. */
  translate(text) {
    return text
      .replace(new RegExp(UUID, "g"), (uuid) => this.#texts.get(uuid) ?? uuid)
      .replace(/(\/api\/organizations\/)(\d+)(?=$|[/?])/, (_, start, id) => start + this.#id("organization", id))
      .replace(/(\/applications\/)(\d+)(?=$|[/?])/, (_, start, id) => start + this.#id("application", id))
  }

  /** The key, secret or token seen now for a recorded one. */
  text(recorded) {
    return this.#texts.get(recorded) ?? recorded
  }

  #id(kind, recorded) {
    return this.#ids[kind].get(Number(recorded)) ?? recorded
  }

  special(key, expected, actual) {
    if (key === "id" && typeof expected === "number") return this.#matchId(expected, actual)
    if (["app_key", "app_secret", "token"].includes(key) && typeof expected === "string") {
      return this.#matchText(expected, actual)
    }
    if (key === "jwt") return this.#matchJwt(expected, actual)
    if (key.endsWith("_at") && typeof expected === "string") return matchTimestamp(expected, actual)
    return undefined
  }

  #matchId(expected, actual) {
    if (!Number.isInteger(actual)) return `no id: ${JSON.stringify(actual)}`
    const ids = this.#ids[this.kind]
    const known = expected <= SEEDED[this.kind] ? expected : ids.get(expected)
    if (known !== undefined) return known === actual ? null : `id is ${actual}, not ${known} (recorded ${expected})`
    ids.set(expected, actual)
    return null
  }

  #matchText(expected, actual) {
    const known = this.#texts.get(expected)
    if (known !== undefined) return known === actual ? null : `is ${JSON.stringify(actual)}, not ${known}`
    if (expected === actual) return null
    if (!UUID_V1.test(expected)) return `expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`
    if (!UUID_V4.test(actual)) return `no version 4 UUID (D14): ${JSON.stringify(actual)}`
    this.#texts.set(expected, actual)
    return null
  }

  #matchJwt(expected, actual) {
    const [recorded, now] = [readJwt(expected), readJwt(actual)]
    if (!now) return `no JWT: ${JSON.stringify(actual)}`
    if (!isSignedBy(actual, this.secret)) return "the JWT is not signed by the installation's secret"
    const wrong = match(recorded, withoutOthers(now, recorded), claimsContext)
    if (wrong) return wrong
    this.#texts.set(expected, actual)
    const life = now.claims.exp - now.claims.iat
    return life === recorded.claims.exp - recorded.claims.iat ? null : `the JWT lives ${life} seconds`
  }
}

/** A JWT may carry claims of this server's own besides those of the recorded one: such as which token it came from. */
function withoutOthers({ header, claims }, recorded) {
  const known = Object.entries(claims).filter(([claim]) => Object.hasOwn(recorded.claims, claim))
  return { header, claims: Object.fromEntries(known) }
}

const claimsContext = {
  special(key, _expected, actual) {
    if (key === "iat")
      return Math.abs(actual * 1_000 - Date.now()) < CLOCK_TOLERANCE ? null : `iat is not now: ${actual}`
    if (key === "exp") return Number.isInteger(actual) ? null : `exp is ${JSON.stringify(actual)}`
    if (key === "jti") return UUID_V4.test(actual) ? null : `jti is no version 4 UUID: ${JSON.stringify(actual)}`
    return undefined
  },
}

function matchTimestamp(expected, actual) {
  if (!expected.startsWith(RECORDED_DAY)) return expected === actual ? null : `expected ${expected}, got ${actual}`
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(actual ?? "")) return `not like ${expected}: ${actual}`
  const off = Math.abs(Date.parse(`${actual}Z`) - Date.now())
  return off < CLOCK_TOLERANCE ? null : `is not now in UTC (D15): ${actual}`
}
