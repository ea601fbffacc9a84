// D5: a topic of another application, or of one that does not exist, cannot be joined.

import { stepMessage } from "../replay/wire-message.js"
import { errorReply, isPush, isReceive, withAnswers } from "./steps.js"

/** Refuses every join of a topic that is not of the application the socket connected to. */
export function refuseForeignJoins(steps) {
  let rewritten = steps
  for (const join of steps.filter((step) => isForeign(step, steps) && stepMessage(step).event === "phx_join")) {
    const uid = uidOf(steps, join.socket)
    rewritten = withAnswers(rewritten, rewritten.indexOf(join), (answers) =>
      answers
        .filter((step) => !tellsOfJoin(step, join, uid))
        .map((step) => (isReplyTo(step, join) ? refused(step) : step)),
    )
  }
  for (const push of steps.filter((step) => isForeign(step, steps) && isPush(step))) {
    const reply = withoutJoinRef(errorReply(steps, push, "unmatched topic"))
    rewritten = withAnswers(rewritten, rewritten.indexOf(push), () => [reply])
  }
  return rewritten
}

function isForeign(step, steps) {
  if (step.dir !== ">" || step.op !== "text") return false
  const key = /^lobby:([^:]*):/.exec(stepMessage(step)?.topic)?.[1]
  return key !== undefined && appKeyOf(steps, step.socket) !== key
}

const connectOf = (steps, socket) => steps.find((step) => step.connect && step.socket === socket).connect

const appKeyOf = (steps, socket) => /[?&]app_key=([^&]*)/.exec(connectOf(steps, socket))[1]

const uidOf = (steps, socket) => /[?&]unique_identifier=([^&]*)/.exec(connectOf(steps, socket))[1]

function isReplyTo(step, join) {
  return isReceive(step) && step.socket === join.socket && stepMessage(step)?.event === "phx_reply"
}

function tellsOfJoin(step, join, uid) {
  const message = isReceive(step) ? stepMessage(step) : null
  if (!message || message.topic !== stepMessage(join).topic) return false
  if (step.socket === join.socket) return message.event !== "phx_reply"
  return Object.hasOwn(message.payload.joins ?? {}, uid)
}

function refused(step) {
  const payload = { status: "error", response: { reason: "unauthorized" } }
  if (!Array.isArray(step.json)) return { ...step, json: { ...step.json, payload } }
  return { ...step, json: [...step.json.slice(0, 4), payload] }
}

/** Removes the join_ref: the reply to a message on a topic that is not joined has none. */
function withoutJoinRef(step) {
  return Array.isArray(step.json) ? { ...step, json: [null, ...step.json.slice(1)] } : step
}
