// D16 and D21: what crashed a channel is refused or skipped, and the channel lives on. What the recording shows after the
// crash is therefore rewritten: pushes are relayed again, and a join is one more on a joined topic.

import { stepMessage } from "../replay/wire-message.js"
import { broadcast, errorReply, isReceive, isSend, nextSend, withAnswers } from "./steps.js"

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value)

/** Without the crash: the steps of a channel that lives on. */
export function crashless(steps) {
  const crash = steps.findIndex((step) => isReceive(step) && stepMessage(step)?.event === "phx_error")
  const push = lastSendBefore(steps, crash)
  const crashed = stepMessage(steps[crash])
  const others = socketsOn(steps.slice(0, push), crashed.topic).filter((socket) => socket !== steps[push].socket)
  const leave = othersLeave(steps, push)
  const alive = relayed(withoutCrash(steps, push), push, steps[push].socket, others)
  return rejoined(alive, push, steps[push].socket, crashed, leave)
}

/** Without the crash of an event that is no string. */
export function eventRefused(steps) {
  const crash = steps.findIndex((step) => isReceive(step) && stepMessage(step)?.event === "phx_error")
  const push = lastSendBefore(steps, crash)
  return withAnswers(steps, push, () => [errorReply(steps, steps[push], "event must be a string")])
}

const lastSendBefore = (steps, index) => steps.slice(0, index).findLastIndex(isSend)

function socketsOn(steps, topic) {
  const joins = steps.filter((step) => step.dir === ">" && stepMessage(step)?.topic === topic)
  return [...new Set(joins.map((step) => step.socket))]
}

const isLeave = (step) => isReceive(step) && Object.keys(stepMessage(step)?.payload?.leaves ?? {}).length > 0

const isError = (step) => isReceive(step) && stepMessage(step)?.event === "phx_error"

const othersLeave = (steps, push) =>
  steps.slice(push, nextSend(steps, push)).filter((step) => isLeave(step) && step.socket !== steps[push].socket)

function withoutCrash(steps, push) {
  const refused = stepMessage(steps[push]).payload
  return withAnswers(steps, push, (answers) => [
    ...answers.filter((step) => !isError(step) && !isLeave(step)),
    ...(steps[push].op === "text" && !isObject(refused)
      ? [errorReply(steps, steps[push], "payload must be an object")]
      : []),
  ])
}

/** Later pushes were answered "unmatched topic"; now everyone hears them, in the other's frames too. */
function relayed(steps, push, sender, others) {
  const later = steps.filter((step, index) => index > push && step.dir === ">" && step.op === "text")
  return later.reduce((rewritten, step) => {
    const message = stepMessage(step)
    if (message.event.startsWith("phx_") || message.topic === "phoenix") return rewritten
    return withAnswers(rewritten, rewritten.indexOf(step), () =>
      [sender, ...others].map((socket) => broadcast(steps, socket, message)),
    )
  }, steps)
}

/** A join after the crash was a first one; now it replaces a channel, which closes, and whose leave others see. */
function rejoined(steps, push, sender, crashed, leave) {
  const join = steps.findIndex(
    (step, index) => index > push && step.dir === ">" && stepMessage(step)?.event === "phx_join",
  )
  if (join < 0) return steps
  const close = { socket: sender, dir: "<", op: "text", json: closeOf(steps[join], crashed) }
  return withAnswers(steps, join, (answers) => {
    const reply = answers.findIndex((step) => stepMessage(step)?.event === "phx_reply")
    return [...leave, ...answers.slice(0, reply + 1), close, ...answers.slice(reply + 1)].map(({ t, ...step }) => step)
  })
}

/** The close of the old channel carries what its error would have carried. */
function closeOf(join, crashed) {
  const { topic, ref, join_ref } = crashed
  if (Array.isArray(join.json)) return [join_ref, ref, topic, "phx_close", {}]
  return { topic, ref, payload: {}, event: "phx_close" }
}
