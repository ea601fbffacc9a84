// Several sockets join one topic at the same instant. Each must see every other exactly once, in its presence_state or
// in a presence_diff, its own join in a presence_diff behind its presence_state, and the reply before all.

import { match, show } from "./match.js"
import { stepMessage } from "./wire-message.js"

/**
 * @param {{recorded: object[], uids: string[], joins: boolean}} together `uids` of all who join, one for each socket;
 *   `joins`: this lane's socket is one of them
 * @param {object[]} frames what came on the lane
 * @param {number} start the first frame to look at
 * @param {import("./presence-context.js").PresenceContext} context
 * @returns {{next: number} | {wrong: string, at: number}}
 */
export function matchJoinsTogether(together, frames, start, context) {
  const recorded = together.recorded.map(stepMessage)
  const seen = { reply: !together.joins, state: !together.joins, refs: new Map(together.uids.map((uid) => [uid, []])) }
  let at = start
  while (!complete(seen, together.uids)) {
    const message = frames[at] && stepMessage(frames[at])
    if (!message) return { wrong: `joins at one instant: ${missing(seen, together.uids)}`, at }
    const wrong = take(message, recorded, seen, context)
    if (wrong) return { wrong, at }
    at += 1
  }
  bindRefs(recorded, seen, context)
  return { next: at }
}

function complete(seen, uids) {
  return seen.reply && seen.state && [...seen.refs].every(([uid, refs]) => refs.length === countOf(uid, uids))
}

const countOf = (uid, uids) => uids.filter((other) => other === uid).length

function missing(seen, uids) {
  if (!seen.reply) return "the reply is missing"
  if (!seen.state) return "presence_state is missing"
  const unseen = [...seen.refs].filter(([uid, refs]) => refs.length < countOf(uid, uids)).map(([uid]) => uid)
  return `not seen: ${show(unseen)}`
}

function take(message, recorded, seen, context) {
  if (message.event === "phx_reply" && !seen.reply) {
    seen.reply = true
    return match(
      recorded.find(({ event }) => event === "phx_reply"),
      message,
      context,
    )
  }
  if (!seen.reply) return `before the reply: ${show(message)}`
  if (message.event === "presence_state" && !seen.state) {
    seen.state = true
    return takeState(
      message,
      recorded.find(({ event }) => event === "presence_state"),
      seen,
      context,
    )
  }
  if (message.event === "presence_diff") return takeDiff(message, recorded, seen, context)
  return `not what joins bring: ${show(message)}`
}

function takeState(message, expected, seen, context) {
  const others = withoutKeys(message.payload, seen.refs)
  const wrong = match(
    { ...expected, payload: withoutKeys(expected.payload, seen.refs) },
    { ...message, payload: others },
    context,
  )
  if (wrong) return wrong
  for (const uid of seen.refs.keys()) {
    for (const meta of message.payload[uid]?.metas ?? []) see(uid, meta, seen)
  }
  return null
}

function takeDiff(message, recorded, seen, context) {
  const expected = recorded.find(({ event }) => event === "presence_diff")
  const wrong = match({ ...expected, payload: {} }, { ...message, payload: {} }, context)
  if (wrong) return wrong
  const { joins, leaves, ...rest } = message.payload
  const keys = Object.keys(joins ?? {})
  if (Object.keys(rest).length > 0 || Object.keys(leaves ?? { missing: true }).length > 0 || keys.length !== 1) {
    return `not one join: ${show(message)}`
  }
  const { metas } = joins[keys[0]]
  if (!seen.refs.has(keys[0]) || metas.length !== 1) return `not one of the joiners: ${show(message)}`
  const metaWrong = match({ phx_ref: "", online_at: 0 }, metas[0], metaContext)
  return metaWrong ?? see(keys[0], metas[0], seen)
}

/** A meta has a ref and a time; which ref is settled when all are seen. */
const metaContext = { special: (key, _expected, actual) => (key === "phx_ref" ? isRef(actual) : isTime(actual)) }
const isRef = (value) => (typeof value === "string" && value !== "" ? null : `no phx_ref: ${show(value)}`)
const isTime = (value) => (Number.isInteger(value) ? null : `no online_at: ${show(value)}`)

function see(uid, meta, seen) {
  const refs = seen.refs.get(uid)
  if (refs.includes(meta.phx_ref)) return `seen twice: ${uid}`
  refs.push(meta.phx_ref)
  return null
}

function withoutKeys(object, keys) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.has(key)))
}

function bindRefs(recorded, seen, context) {
  for (const [uid, actual] of seen.refs) {
    const refs = new Set()
    for (const { event, payload } of recorded) {
      const presences = event === "presence_state" ? payload : event === "presence_diff" ? payload.joins : {}
      for (const meta of presences[uid]?.metas ?? []) refs.add(meta.phx_ref)
    }
    if (refs.size === 1 && actual.length === 1) context.bind([...refs][0], actual[0])
    else context.offer([...refs], actual)
  }
}
