// Messages that must come on each lane, with the room that the recordings leave to chance (see fixtures/RECORDINGS.md).

import { laneOf } from "./timeline.js"
import { isLeaveOf, sentMessages, stepMessage } from "./wire-message.js"

/**
 * @typedef {object} Item one thing that must come
 * @property {number} phase
 * @property {object} [step] the recorded step
 * @property {object} [together] instead of a step: joins of one topic at one instant, see join-together.js
 * @property {boolean} [optional]
 * @property {boolean} [floats] may come later than its place
 * @property {(message: object) => boolean} [mayPrecede] frames that may come in front of it
 */

/**
 * @param {import("./timeline.js").Phase[]} phases
 * @returns {{lanes: Map<string, Item[]>, mayFollow: Map<string, (frame: object) => boolean>}} `mayFollow`: frames that may come
 *   behind everything else of a lane
 */
export function expectationsOf(phases) {
  const lanes = new Map()
  phases.forEach((phase, index) => {
    for (const step of phase.expected) {
      const lane = laneOf(step)
      if (!lanes.has(lane)) lanes.set(lane, [])
      lanes.get(lane).push({ phase: index, step, optional: step.optional })
    }
  })
  const mayFollow = leaveRoomForOwnLeaves(phases, lanes)
  phases.forEach((phase, index) => {
    gatherJoinsTogether(phase, index, lanes)
    floatDiffsAmongPushes(phase, index, lanes)
  })
  letRefusedClose(lanes, mayFollow)
  return { lanes, mayFollow }
}

/**
 * Allows both outcomes: it is chance if a socket that leaves, crashes or joins again sees its own leave before its next
 * presence_state.
 */
function leaveRoomForOwnLeaves(phases, lanes) {
  const uids = uniqueIdentifiers(phases)
  const mayFollow = new Map()
  for (const [lane, items] of lanes) {
    const first = items.map((item) => stepMessage(item.step)).find((message) => message)
    if (!first) continue
    const socket = items[0].step.socket
    const isOwnLeave = (message) => isLeaveOf(uids.get(socket), message)
    let leaving = false
    let joined = false
    let phase = -1
    for (const item of items) {
      const message = stepMessage(item.step)
      for (; phase < item.phase; phase++) {
        if (joined && leavesIn(phases[phase + 1], socket, first.topic)) leaving = true
      }
      if (message?.event === "phx_error") leaving = true
      if (leaving) {
        item.mayPrecede = isOwnLeave
        item.optional ||= isOwnLeave(message)
      }
      if (message?.event === "presence_state") {
        leaving = false
        joined = true
      }
    }
    const leavesLater = phases.slice(phase + 1).some((later) => leavesIn(later, socket, first.topic))
    if (leaving || (joined && leavesLater)) mayFollow.set(lane, (frame) => isOwnLeave(stepMessage(frame)))
  }
  return mayFollow
}

function leavesIn(phase, socket, topic) {
  const sent = phase.actions.filter((action) => action.socket === socket).flatMap(sentMessages)
  return sent.some((message) => message.topic === topic && ["phx_leave", "phx_join"].includes(message.event))
}

/** @returns {Map<string, string>} socket -> unique_identifier */
function uniqueIdentifiers(phases) {
  const uids = new Map()
  for (const action of phases.flatMap((phase) => phase.actions)) {
    if (!action.connect && !action.request) continue
    const query = (action.connect ?? action.request).split("?")[1] ?? ""
    uids.set(action.socket, new URLSearchParams(query).get("unique_identifier"))
  }
  return uids
}

/** Allows any order in which sockets that join at the same instant see each other. */
function gatherJoinsTogether(phase, index, lanes) {
  for (const [topic, sockets] of joinsByTopic(phase)) {
    if (sockets.size < 2) continue
    const uids = joinersOf(phase, topic)
    for (const [lane, items] of lanes) {
      const mine = items.filter((item) => item.phase === index && stepMessage(item.step)?.topic === topic)
      if (mine.length === 0) continue
      const socket = mine[0].step.socket
      const together = { recorded: mine.map((item) => item.step), uids, joins: sockets.has(socket) }
      items.splice(items.indexOf(mine[0]), mine.length, { phase: index, together })
      lanes.set(lane, items)
    }
  }
}

function joinsByTopic(phase) {
  const joins = new Map()
  for (const action of phase.actions) {
    for (const { topic } of sentMessages(action).filter(({ event }) => event === "phx_join")) {
      if (!joins.has(topic)) joins.set(topic, new Set())
      joins.get(topic).add(action.socket)
    }
  }
  return joins
}

/** The unique_identifier of each joiner, once per socket: the keys of the joins that were recorded. */
function joinersOf(phase, topic) {
  const refs = new Map()
  for (const step of phase.expected) {
    const message = stepMessage(step)
    if (message?.topic !== topic || message.event !== "presence_diff") continue
    for (const [uid, { metas }] of Object.entries(message.payload.joins)) {
      for (const meta of metas) refs.set(meta.phx_ref, uid)
    }
  }
  return [...refs.values()]
}

/** With vsn 2, where a presence_diff comes among pushes sent right behind a join is chance. */
function floatDiffsAmongPushes(phase, index, lanes) {
  for (const [topic, sockets] of joinsByTopic(phase)) {
    for (const socket of sockets) {
      const sent = phase.actions.filter((action) => action.socket === socket).flatMap(sentMessages)
      const isPush = (message) =>
        message.topic === topic && message.join_ref !== undefined && !message.event.startsWith("phx_")
      const items = lanes.get(`${socket} on ${JSON.stringify(topic)}`)
      if (items && sent.some(isPush)) letFloat(items, index)
    }
  }
}

/** Moves the first presence_diff of what a join brings to its earliest place, from where it may come any later. */
function letFloat(items, index) {
  const eventOf = (item) => stepMessage(item.step)?.event
  const state = items.findIndex((item) => item.phase >= index && eventOf(item) === "presence_state")
  const diff = items.findIndex(
    (item, at) => at > state && item.phase === items[state].phase && eventOf(item) === "presence_diff",
  )
  if (diff < 0) return
  const [moved] = items.splice(diff, 1)
  items.splice(state + 1, 0, { ...moved, floats: true })
}

/** A refused connection may be kept open for another request, or closed. */
function letRefusedClose(lanes, mayFollow) {
  for (const [lane, items] of lanes) {
    const refused = items.some(({ step }) => step?.status !== undefined && step.status !== 101 && !step.answer)
    if (!refused) continue
    lanes.set(
      lane,
      items.filter(({ step }) => !step.tcp),
    )
    mayFollow.set(lane, (frame) => Boolean(frame.tcp))
  }
}
