// D20: a message over the limit closes the socket with 1009, and others see its user leave.

import { stepMessage } from "../replay/wire-message.js"
import { speaksArrays, withAnswers } from "./steps.js"

const LIMIT = 1_048_576

/** Refuses the message that is over the limit; nothing else is sent on its socket. */
export function closeTooLarge(steps) {
  const push = steps.findIndex((step) => step.dir === ">" && sizeOf(step) > LIMIT)
  const { socket, t } = steps[push]
  const watchers = [
    ...new Set(steps.filter((step) => step.connect && step.socket !== socket).map((step) => step.socket)),
  ]
  const end = [
    { t, socket, dir: "<", op: "close", code: 1009, anyReason: true },
    { t, socket, dir: "<", tcp: "closed" },
    ...watchers.map((watcher) => ({
      t,
      socket: watcher,
      dir: "<",
      op: "text",
      json: leaveSeenBy(watcher, socket, steps),
    })),
  ]
  return [...withAnswers(steps, push, () => end).slice(0, push + 1 + end.length)]
}

function sizeOf(step) {
  const cut = /…\((\d+) bytes/.exec(step.text ?? step.frame?.data ?? "")
  return cut ? Number(cut[1]) : 0
}

function leaveSeenBy(watcher, leaver, steps) {
  const own = steps.find(
    (step) => step.dir === "<" && step.socket === leaver && stepMessage(step)?.event === "presence_diff",
  )
  const { topic, payload } = stepMessage(own)
  const left = { joins: {}, leaves: payload.joins }
  return speaksArrays(steps, watcher)
    ? [null, null, topic, "presence_diff", left]
    : { topic, ref: null, payload: left, event: "presence_diff" }
}
