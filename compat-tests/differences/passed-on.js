// D19: a payload is passed on byte for byte.

import { anything, match, show } from "../replay/match.js"
import { parseJson, readMessage, stepMessage } from "../replay/wire-message.js"
import { rawValue } from "./raw-value.js"
import { isPush, isReceive } from "./steps.js"

/** Wants the relayed frame to hold the payload's text as it was sent. */
export function passedOnAsSent(steps) {
  const push = steps.find(isPush)
  const sent = { ...stepMessage(push), text: push.text ?? JSON.stringify(push.json) }
  return steps.map((step) => {
    const message = isReceive(step) ? stepMessage(step) : null
    return message?.event === sent.event ? { ...step, samePayload: rawPayload(sent.text) } : step
  })
}

/**
 * Returns the fault of a frame that should carry the payload `raw`, and be as `recorded` otherwise; null if there is
 * none.
 */
export function matchPassedOn(raw, recorded, text, context) {
  const message = readMessage(parseJson(text))
  if (!message) return `no message: ${show(text)}`
  const wrong = match({ ...recorded, payload: anything }, message, context)
  if (wrong) return wrong
  const got = rawPayload(text)
  return got === raw ? null : `the payload was not passed on as it was sent: ${got}`
}

/** The text of a message's payload: the fifth element, or the member of that name. */
const rawPayload = (text) => (text.trimStart().startsWith("[") ? rawValue(text, 4) : rawValue(text, "payload"))
