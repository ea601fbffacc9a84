// Lays what came beside what was expected, in order, using the room that expectations leave.

import { matchJoinsTogether } from "./join-together.js"
import { matchStep } from "./match-step.js"
import { stepMessage } from "./wire-message.js"

/**
 * @param {import("./expectations.js").Item[]} items
 * @param {object[]} frames what came on the lane, in order
 * @param {import("./presence-context.js").PresenceContext} context of all lanes; refs found here are added
 * @returns {{extra: object[]} | {wrong: string, item?: object, frame?: object}} on success the frames left over
 */
export function align(items, frames, context) {
  const search = new Search(items, frames)
  const found = search.from(0, 0, [], context.clone())
  if (!found) return search.failure
  context.adopt(found.context)
  return { extra: frames.slice(found.next) }
}

class Search {
  /** The failure that got furthest. */
  failure = { reach: -1, wrong: "nothing was compared" }

  constructor(items, frames) {
    this.items = items
    this.frames = frames
  }

  /** Tries to place `items` from `i` on frames from `j` on; `floating` items may still come anywhere. */
  from(i, j, floating, context) {
    const item = this.items[i]
    const frame = this.frames[j]
    if (!item && floating.length === 0) return { next: j, context }
    return (
      (item?.together && this.#placeTogether(i, j, floating, context)) ||
      (item?.step && frame && this.#place(i, j, floating, context)) ||
      (frame && this.#placeFloating(i, j, floating, context)) ||
      (item?.optional && this.from(i + 1, j, floating, context)) ||
      (item?.floats && this.from(i + 1, j, [...floating, item], context)) ||
      (frame && item?.mayPrecede?.(stepMessage(frame)) && this.from(i, j + 1, floating, context)) ||
      this.#fail(i, j, frame ? null : "nothing more came")
    )
  }

  #placeTogether(i, j, floating, context) {
    const attempt = context.clone()
    const result = matchJoinsTogether(this.items[i].together, this.frames, j, attempt)
    if (result.wrong) return this.#fail(i, result.at, result.wrong)
    return this.from(i + 1, result.next, floating, attempt)
  }

  #place(i, j, floating, context) {
    const attempt = context.clone()
    const wrong = matchStep(this.items[i].step, this.frames[j], attempt)
    return wrong ? this.#fail(i, j, wrong) : this.from(i + 1, j + 1, floating, attempt)
  }

  #placeFloating(i, j, floating, context) {
    for (const item of floating) {
      const attempt = context.clone()
      if (matchStep(item.step, this.frames[j], attempt)) continue
      const found = this.from(
        i,
        j + 1,
        floating.filter((other) => other !== item),
        attempt,
      )
      if (found) return found
    }
    return null
  }

  #fail(i, j, wrong) {
    if (wrong && i + j > this.failure.reach) {
      const item = this.items[i]
      this.failure = { reach: i + j, wrong, item: item?.step ?? item?.together?.recorded, frame: this.frames[j] }
    }
    return null
  }
}
