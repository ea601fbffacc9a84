// D19: a payload is passed on byte for byte.

import { Matcher, match, show } from "../replay/match.js"
import { parseJson, readMessage, stepMessage } from "../replay/wire-message.js"
import { rawValue } from "./raw-value.js"
import { isPush, isReceive } from "./steps.js"

/** Wants the relayed frame to hold the payload's text as it was sent. */
export function passedOnAsSent(steps) {
  const push = steps.find(isPush)
  const sent = { ...stepMessage(push), text: push.text ?? JSON.stringify(push.json) }
  return steps.map((step) => {
    const message = isReceive(step) ? stepMessage(step) : null
    return message?.event === sent.event ? { ...step, wanted: sameBytes(sent, stepMessage(step)) } : step
  })
}

function sameBytes(sent, recorded) {
  const { payload, ...others } = recorded
  const raw = rawPayload(sent.text)
  return new Matcher(`a frame with the payload ${raw}`, (text, context) => {
    const message = readMessage(parseJson(text))
    if (!message) return `no message: ${show(text)}`
    const { payload: _, ...actual } = message
    const wrong = match(others, actual, context)
    if (wrong) return wrong
    const got = rawPayload(text)
    return got === raw ? null : `the payload was not passed on as it was sent: ${got}`
  })
}

/** The text of a message's payload: the fifth element, or the member of that name. */
const rawPayload = (text) => (text.trimStart().startsWith("[") ? rawValue(text, 4) : rawValue(text, "payload"))
