// Compares one thing that came on a socket, or an answer to a request, with the recorded step.

import { matchPassedOn } from "../differences/passed-on.js"
import { matchPlainHeaders } from "./http-answer.js"
import { match, show } from "./match.js"
import { stepMessage } from "./wire-message.js"

/**
 * @param {object} step as recorded; `status`, `code` and `json` may hold Matchers
 * @param {object} actual as the player wrote it down
 * @param {import("./presence-context.js").PresenceContext} context
 * @returns {string | null} null when it fits
 */
export function matchStep(step, actual, context) {
  if (step.wantedAnswer) return match(step.wantedAnswer, actual, context)
  if (step.answer) return matchAnswer(step, actual, context)
  if (step.status !== undefined) return matchHandshake(step, actual, context)
  if (step.tcp) return actual.tcp ? null : `expected the connection to be closed, got ${show(actual)}`
  if (step.op !== actual.op) return `expected ${show(withoutTime(step))}, got ${show(actual)}`
  if (step.op === "close") return matchClose(step, actual, context)
  if (step.op === "binary") return match(step.frame, actual.frame, context)
  if (step.op === "text") return matchText(step, actual, context)
  return match(step.text, actual.text, context)
}

function matchText(step, actual, context) {
  if (step.samePayload !== undefined) return matchPassedOn(step.samePayload, stepMessage(step), actual.text, context)
  if (actual.json === undefined) return `no JSON: ${show(actual.text)}`
  if (step.as !== actual.as) return `expected the message as ${step.as}, got ${actual.as}`
  return match(step.json, actual.json, context)
}

function matchClose(step, actual, context) {
  const wrong = match(step.code, actual.code, context, "close code")
  if (wrong) return wrong
  return step.anyReason ? null : match(step.reason, actual.reason, context, "close reason")
}

function matchHandshake(step, actual, context) {
  if (actual.status === undefined) return `expected an HTTP answer, got ${show(actual)}`
  const wrong = match(step.status, actual.status, context, "status")
  if (wrong) return wrong
  if (actual.status === 101) return matchUpgrade(step, actual)
  const wrongBody = step.body === undefined || step.anyBody ? null : match(step.body, actual.body, context, "body")
  if (wrongBody || !step.headers) return wrongBody
  if (!step.anyBody) return matchPlainHeaders(step.headers, actual.headers)
  const type = step.headers["content-type"]
  return type === undefined ? null : match(type, actual.headers["content-type"], context, "content-type")
}

function matchUpgrade(step, { headers, accept }) {
  if (!/upgrade/i.test(headers.connection ?? "")) return `connection is ${show(headers.connection)}`
  if (!/^websocket$/i.test(headers.upgrade ?? "")) return `upgrade is ${show(headers.upgrade)}`
  if (headers["sec-websocket-accept"] !== accept) return "sec-websocket-accept does not belong to the key"
  if (headers["sec-websocket-extensions"]) return `an extension was agreed to: ${headers["sec-websocket-extensions"]}`
  const protocol = headers["sec-websocket-protocol"] ?? null
  return match(step.protocol ?? null, protocol, undefined, "sec-websocket-protocol")
}

function matchAnswer(step, actual, context) {
  if (actual.status === undefined) return `expected an HTTP answer, got ${show(actual)}`
  const wrong = match(step.status, actual.status, context, "status")
  if (wrong) return wrong
  const wrongHeader = step.id === undefined || !step.headers ? null : matchPlainHeaders(step.headers, actual.headers)
  if (wrongHeader) return wrongHeader
  if (step.json === undefined) return match(step.body ?? "", actual.text, context, "body")
  if (actual.json === undefined) return `no JSON: ${show(actual.text)}`
  return match(step.json, actual.json, context)
}

function withoutTime(step) {
  const { t, ...rest } = step
  return rest
}
