// Turns recorded steps into what the player does: phases of things to send and things to wait for.

import { withAnswersApart } from "./longpoll-steps.js"
import { stepMessage } from "./wire-message.js"

/** Pauses of the recording that are at least this long are kept, in milliseconds: an idle time-out needs them. */
const KEPT_PAUSE = 2_000

/** A REST request is written down when it was answered; what it caused came within this many milliseconds before. */
const REST_CAUSES_WITHIN = 60

/**
 * @typedef {object} Phase
 * @property {number} pause milliseconds to wait before acting
 * @property {object[]} actions steps to carry out at once, in order
 * @property {object[]} expected steps to wait for before the next phase
 */

/**
 * @param {object[]} steps of one scenario, credentials filled in
 * @returns {Phase[]}
 */
export function phasesOf(steps) {
  const phases = []
  let last = { t: 0 }
  for (const step of withRequestsFirst(withAnswersApart(steps))) {
    if (step.note !== undefined && !step.stop && !step.answer) continue
    if (isAction(step)) {
      const current = phases.at(-1)
      if (!current || current.expected.length > 0 || isOpenPoll(last)) phases.push({ pause: pause(last, step), actions: [], expected: [] })
      phases.at(-1).actions.push(step)
      if (step.http) phases.at(-1).expected.push(answerOf(step))
    } else if (step.dir === "<") {
      phases.at(-1).expected.push(step)
    }
    last = step
  }
  return phases
}

const isAction = (step) => step.dir === ">" || Boolean(step.http || step.stop || (step.request && !step.answer))

const answerOf = (step) => ({ ...step, dir: "<", answer: true })

function pause(last, step) {
  const gap = step.t - last.t
  return gap >= KEPT_PAUSE || isOpenPoll(last) ? gap : 0
}

/** A poll that is still open comes on a connection of its own: only time tells that it came before what was done next. */
const isOpenPoll = ({ poll, answer }) => Boolean(poll && !answer)

/** Puts each REST request before the frames that it caused. */
function withRequestsFirst(steps) {
  const ordered = []
  for (const step of steps) {
    if (!step.http) {
      ordered.push(step)
      continue
    }
    let at = ordered.length
    let t = step.t
    while (at > 0 && ordered[at - 1].dir === "<" && t - ordered[at - 1].t < REST_CAUSES_WITHIN) {
      at -= 1
      t = ordered[at].t
    }
    ordered.splice(at, 0, step)
  }
  return ordered
}

/**
 * Returns the lane of a step: frames keep their order within one lane, not between lanes.
 *
 * @returns {string}
 */
export function laneOf(step) {
  if (step.answer) return step.http ? `REST ${step.http}` : `${step.label} (request ${step.id})`
  const message = stepMessage(step)
  return message ? `${step.socket} on ${JSON.stringify(message.topic)}` : `${step.socket}`
}
