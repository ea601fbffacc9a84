// Changes that the rows of DIFFERENCES.md ask for in ws.json and v2.json: each rewrites the recorded steps.

import { anything, matching, oneOf } from "../replay/match.js"
import { stepMessage } from "../replay/wire-message.js"
import { HTML_TYPE } from "./answers.js"
import { crashless, eventRefused } from "./crashes.js"
import { closeTooLarge } from "./too-large.js"
import { passedOnAsSent } from "./passed-on.js"
import { refuseForeignJoins } from "./foreign-joins.js"
import { change, isPush, isReceive, isReserved, refuseConnect, refusePush } from "./steps.js"

/**
 * @param {object} scenario of ws.json or v2.json
 * @param {object[]} steps its steps, as far as they are wanted at all
 * @returns {{steps: object[], row: string | null}[]} any of which is right; `row: null` is the recorded behaviour
 */
export function wantedScenario(scenario, steps) {
  const special = BY_NAME[scenario.scenario]?.(steps)
  if (special) return special
  if (!scenario.differs) return [{ steps, row: null }]
  const wanted = scenario.differs.reduce((rewritten, row) => rewriteBy(row, scenario)(rewritten), steps)
  return [{ steps: wanted, row: scenario.differs.join(",") }]
}

function rewriteBy(row, { scenario }) {
  const rewrite = ROWS[row]
  if (!rewrite) throw new Error(`differences/sockets.js has nothing for ${row} (${scenario})`)
  return rewrite
}

/** Scenarios with more than one right course, or that a row concerns without marking them. */
const BY_NAME = {
  // D16 names events that are no strings; the recordings are not marked. Crashing as recorded is taken as right, too.
  push_event_type_integer: eventTypeVariants,
  push_event_type_null: eventTypeVariants,
  // Recorded before Phoenix took such leaves.
  leave_join_ref_null: (steps) => [{ steps: leaveAtOnce(steps), row: "D24" }],
  // The limit of 100 topics is Phoenix 1.7's; the original has none (RECORDINGS.md: neither is wrong).
  join_101_topics: manyTopics,
  // D22 says what is answered to `phoenix`, not to protocols that nobody speaks: none is picked, or the offer refused.
  subprotocol_other: (steps) => [
    { steps, row: null },
    { steps: refuseConnect(steps), row: "D22" },
  ],
  connect_socket_root: (steps) => [
    {
      steps: change(
        steps,
        (step) => step.status !== undefined,
        () => ({ headers: { "content-type": HTML_TYPE }, anyBody: true }),
      ),
      row: "D2",
    },
  ],
  connect_plain_get_no_upgrade_bad_params: (steps) => [{ steps: anyErrorBody(steps), row: "D2,D18" }],
  connect_ws_no_key: (steps) => [{ steps: anyErrorBody(steps), row: "D2" }],
  'connect_vsn_"2.0.0"': (steps) =>
    steps.some((step) => step.status === 403) ? [{ steps: speaksVsn2(steps), row: "D8,D18" }] : null,
}

const ROWS = {
  D1: (steps) => refuseConnect(steps),
  D5: (steps) => (steps.some((step) => step.op) ? refuseForeignJoins(steps) : refuseConnect(steps)),
  D6: (steps) => refuseAll(steps, isPush, "forbidden"),
  D7: (steps) => refuseReservedOverRest(refuseAll(steps, isReservedPush, "reserved event")),
  D9: (steps) => change(steps, isClose, () => ({ code: 1001, anyReason: true })),
  D16: crashless,
  D18: (steps) => steps,
  D19: passedOnAsSent,
  D20: closeTooLarge,
  D21: crashless,
  D22: (steps) =>
    change(
      steps,
      (step) => step.status === 101,
      () => ({ protocol: "phoenix" }),
    ),
}

const isClose = (step) => isReceive(step) && step.op === "close"

const isReservedPush = (step) => isPush(step) && isReserved(stepMessage(step).event)

function refuseAll(steps, fits, reason) {
  let rewritten = steps
  for (const step of steps.filter(fits)) {
    rewritten = refusePush(rewritten, rewritten.indexOf(step), reason)
  }
  // A socket that a relayed event closed stays open.
  return reason === "reserved event"
    ? rewritten.filter((step) => !isClose(step) && !(isReceive(step) && step.tcp))
    : rewritten
}

function refuseReservedOverRest(steps) {
  const eventOf = (step) => decodeURIComponent(/\/event\/([^?]*)/.exec(step.http)?.[1] ?? "")
  const isRefused = (step) => Boolean(step.http) && isReserved(eventOf(step))
  const refused = new Set(steps.filter(isRefused).map(eventOf))
  const relays = (step) =>
    isReceive(step) && refused.has(stepMessage(step)?.event) && stepMessage(step).payload.x === "1"
  const errors = matching("errors that say what was wrong", (value) => typeof value === "object" && value !== null)
  return change(
    steps.filter((step) => !relays(step)),
    isRefused,
    () => ({ status: 422, json: { errors }, body: undefined }),
  )
}

function anyErrorBody(steps) {
  return change(
    steps,
    (step) => step.status !== undefined,
    () => ({ anyBody: true, headers: {} }),
  )
}

function speaksVsn2(steps) {
  const [connect] = steps
  const on = { t: connect.t, socket: connect.socket }
  return [
    connect,
    { ...on, dir: "<", status: 101, headers: {} },
    { ...on, dir: ">", op: "text", json: [null, "hb", "phoenix", "heartbeat", {}] },
    { ...on, dir: "<", op: "text", json: [null, "hb", "phoenix", "phx_reply", { status: "ok", response: {} }] },
  ]
}

function eventTypeVariants(steps) {
  return [
    { steps: eventRefused(steps), row: "D16" },
    { steps, row: null },
  ]
}

/** D24: the leave without a join_ref is answered as the later one was, and what follows finds nobody in the topic. */
function leaveAtOnce(steps) {
  const isFrom = (step, name) => step.dir === ">" && stepMessage(step)?.event === name
  const first = steps.findIndex((step) => isFrom(step, "phx_leave"))
  const push = steps.findIndex((step) => isFrom(step, "still"))
  const last = steps.findLastIndex((step) => isFrom(step, "phx_leave"))
  const topic = stepMessage(steps[first]).topic
  const [reply, close] = steps.slice(last + 1)
  const answered = (step, ref, status, response) => ({
    ...reply,
    t: step.t,
    json: [status === "ok" ? "1" : null, ref, topic, "phx_reply", { status, response }],
  })
  return [
    ...steps.slice(0, first + 1),
    answered(steps[first], "2", "ok", {}),
    { ...close, t: steps[first].t },
    steps[push],
    answered(steps[push], "3", "error", { reason: "unmatched topic" }),
    steps[last],
    answered(steps[last], "4", "ok", {}),
  ]
}

/** The joins that the recording leaves out are put back, and either end is right. */
function manyTopics(steps) {
  const firstJoin = steps.findIndex((step) => stepMessage(step)?.event === "phx_join")
  const { t, socket } = steps[firstJoin]
  const recorded = stepMessage(steps[firstJoin])
  const others = Array.from({ length: 97 }, (_, index) => String(index + 2))
  const topic = (ref) => recorded.topic.replace(/1$/, ref)
  const text = (dir, json) => ({ t, socket, dir, op: "text", json })
  const joined = (ref, joinTopic) => [
    text("<", [ref, ref, joinTopic, "phx_reply", { status: "ok", response: {} }]),
    text("<", [ref, null, joinTopic, "presence_state", {}]),
    text("<", [null, null, joinTopic, "presence_diff", { joins: { alice: { metas: [newMeta(ref)] } }, leaves: {} }]),
  ]
  const whole = [
    ...steps.slice(0, firstJoin + 1),
    ...others.map((ref) => text(">", [ref, ref, topic(ref), "phx_join", {}])),
    ...steps.slice(firstJoin + 1, lastJoinBehind(steps, firstJoin) + 1),
    ...others.flatMap((ref) => joined(ref, topic(ref))),
    ...steps.slice(lastJoinBehind(steps, firstJoin) + 1),
  ]
  return [
    { steps: whole, row: null },
    { steps: withoutLimit(whole, joined), row: null },
  ]
}

const newMeta = (ref) => ({ phx_ref: `made up for ${ref}`, online_at: 0 })

function lastJoinBehind(steps, from) {
  let at = from
  while (steps[at + 1].dir === ">") at += 1
  return at
}

function withoutLimit(steps, joined) {
  const refusal = steps.findIndex((step) => stepMessage(step)?.payload?.response?.reason === "too many channels joined")
  const { topic, ref } = stepMessage(steps[refusal])
  const again = steps.findIndex(
    (step, index) => index > refusal && stepMessage(step)?.topic === topic && isReceive(step),
  )
  const close = { ...steps[again], json: [ref, ref, topic, "phx_close", {}] }
  return [
    ...steps.slice(0, refusal),
    ...joined(ref, topic),
    ...steps.slice(refusal + 1, again + 1),
    close,
    ...steps.slice(again + 1),
  ]
}

/** Freedom that RECORDINGS.md gives where the web server answered, not Phoenix. */
export function leaveWebServerFree(steps) {
  const sent = steps.find((step) => step.dir === ">" && step.op === "close")
  const shutdown = (step) => isClose(step) && step.code === 1012
  const pendingPoll = (step) => step.response?.status === null
  const stopped = change(steps, shutdown, () => ({ code: oneOf(1012, 1001), anyReason: true }))
  const rewritten = change(stopped, pendingPoll, () => ({ response: { wantedAnswer: anything } }))
  if (!sent || sent.code === 1005) return rewritten
  const echoed = (step) => isClose(step) && step.socket === sent.socket
  return change(rewritten, echoed, (step) => ({ code: oneOf(step.code, sent.code) }))
}
