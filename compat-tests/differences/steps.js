// Ways to rewrite the recorded steps of a scenario into those that are wanted.

import { isDeepStrictEqual } from "node:util"
import { oneOf } from "../replay/match.js"
import { stepMessage } from "../replay/wire-message.js"

export const isSend = (step) => step.dir === ">" || Boolean(step.http) || Boolean(step.stop) || Boolean(step.request)
export const isReceive = (step) => step.dir === "<"

/** Events that belong to the protocol: clients may not send them (D7). */
export const isReserved = (event) =>
  typeof event === "string" &&
  (/^(phx|chan_reply)_/.test(event) || ["presence_state", "presence_diff", "disconnect"].includes(event))

const LIFECYCLE = ["phx_join", "phx_leave"]

/** Returns true if a step sends an event for others, rather than joining, leaving or keeping alive. */
export function isPush(step) {
  const message = step.dir === ">" ? stepMessage(step) : null
  return Boolean(message) && message.topic !== "phoenix" && !LIFECYCLE.includes(message.event)
}

/** Returns the index of the next send behind `index`. */
export function nextSend(steps, index) {
  const at = steps.findIndex((step, other) => other > index && isSend(step))
  return at < 0 ? steps.length : at
}

/** Replaces what was received between the send at `index` and the next one. */
export function withAnswers(steps, index, rewrite) {
  const end = nextSend(steps, index)
  const between = steps.slice(index + 1, end)
  const t = between.find(isReceive)?.t ?? steps[index].t
  const rewritten = rewrite(between).map((step) => ({ t, ...step }))
  return [...steps.slice(0, index + 1), ...rewritten, ...steps.slice(end)]
}

/** Without the frames that relay the message sent at `index`, and with an error reply to its sender. */
export function refusePush(steps, index, reason) {
  const sent = steps[index]
  const relayed = (step) => isRelayOf(stepMessage(sent), stepMessage(step))
  return withAnswers(steps, index, (answers) => [
    ...answers.filter((step) => !relayed(step)),
    errorReply(steps, sent, reason),
  ])
}

function isRelayOf(sent, message) {
  if (!message || message.topic !== sent.topic || message.event !== sent.event) return false
  if (sent.data !== undefined) return message.data === sent.data
  return isDeepStrictEqual(message.payload, sent.payload)
}

/** The frame that tells the sender of `sent` why its push was refused. */
export function errorReply(steps, sent, reason) {
  const { topic, ref } = stepMessage(sent)
  const payload = { status: "error", response: { reason } }
  if (!speaksArrays(steps, sent.socket)) {
    return { socket: sent.socket, dir: "<", op: "text", json: { topic, ref, payload, event: "phx_reply" } }
  }
  // A channel's own replies carry the join_ref it was joined with; null reaches the client just as well.
  const joinRef = oneOf(joinRefOf(steps, sent), null)
  return { socket: sent.socket, dir: "<", op: "text", json: [joinRef, ref, topic, "phx_reply", payload] }
}

/** A frame that everyone who joined the topic hears. */
export function broadcast(steps, socket, { topic, event, payload }) {
  const json = speaksArrays(steps, socket) ? [null, null, topic, event, payload] : { topic, ref: null, payload, event }
  return { socket, dir: "<", op: "text", json }
}

/** Returns true if this socket connected with vsn 2. */
export function speaksArrays(steps, socket) {
  const connect = steps.find((step) => step.connect && step.socket === socket)
  return /[?&]vsn=2\./.test(connect.connect)
}

/** The ref of the join that a channel lives by at the time of `step`: join_ref with vsn 2, ref with vsn 1. */
function joinRefOf(steps, step) {
  const { topic } = stepMessage(step)
  const joins = steps.slice(0, steps.indexOf(step)).filter((other) => {
    const message = other.dir === ">" && other.socket === step.socket ? stepMessage(other) : null
    return message?.topic === topic && message.event === "phx_join"
  })
  const join = stepMessage(joins.at(-1))
  return join.join_ref !== undefined ? join.join_ref : join.ref
}

/** The scenario when the handshake is refused: nothing comes after. */
export function refuseConnect(steps, status = 403) {
  const at = steps.findIndex((step) => step.connect)
  const { socket } = steps[at]
  return [...steps.slice(0, at + 1), { t: steps[at].t, socket, dir: "<", status, body: "" }]
}

/** Changes each step that fits. */
export const change = (steps, fits, changes) => steps.map((step) => (fits(step) ? { ...step, ...changes(step) } : step))
