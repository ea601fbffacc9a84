// The replayer judges rightly: what was recorded is the same, what a row wants otherwise is not, and a frame that is
// missing, too many, changed or out of order is seen.

import assert from "node:assert/strict"
import test from "node:test"
import { coursesOf, verdictOn } from "../replay/socket-recordings.js"
import { fixture } from "../target/settings.js"
import { credentials, recordedLanes } from "./support.js"

/** Marked scenarios where the recorded course is right as well: each says so in differences/sockets.js. */
const EITHER_WAY = ["subprotocol_other", "lp_open_auth_token"]

/** Differences D18 and D2 ask for a missing second answer, or a body, in these. Neither is part of the lanes. */
const SAME_ON_LANES = ["connect_ws_no_key", "connect_plain_get_no_upgrade_bad_params", "connect_socket_root"]

/** Scenarios without a mark that are wanted otherwise all the same: each says so in differences/sockets.js. */
const UNMARKED = ["join_101_topics", "leave_join_ref_null"]

const isSameOnLanes = ({ differs, scenario }) => differs.join() === "D18" || SAME_ON_LANES.includes(scenario)

const scenarios = [
  ...fixture("ws.json").scenarios.map((scenario) => ({ file: "ws.json", scenario })),
  ...fixture("v2.json").scenarios.map((scenario) => ({ file: "v2.json", scenario })),
  ...fixture("longpoll.json").scenarios.map((scenario) => ({ file: "longpoll.json", scenario })),
]

const judge = ({ file, scenario }, lanes) => verdictOn(coursesOf(scenario, file, credentials), lanes)

const find = (file, name) => scenarios.find((entry) => entry.file === file && entry.scenario.scenario === name)

test("what was recorded is the same", () => {
  for (const entry of scenarios.filter(
    ({ scenario }) => !scenario.differs && !UNMARKED.includes(scenario.scenario),
  )) {
    const { verdict, wrong } = judge(entry, recordedLanes(entry.scenario, entry.file))
    assert.equal(verdict, "same", `${entry.file} ${entry.scenario.scenario}: ${wrong}`)
  }
})

test("what a row wants otherwise is unexpected when it comes as recorded", () => {
  for (const entry of scenarios.filter(({ scenario }) => scenario.differs && !isSameOnLanes(scenario))) {
    const { scenario } = entry.scenario
    if (EITHER_WAY.includes(scenario)) continue
    const { verdict } = judge(entry, recordedLanes(entry.scenario, entry.file))
    assert.equal(verdict, "unexpected", `${entry.file} ${scenario}`)
  }
})

const TOPIC = `"lobby:${credentials.get("app1.app_key")}:rejoin"`

/** A changes one lane of a scenario that is otherwise as recorded. */
function changed(change, lane = `A on ${TOPIC}`) {
  const entry = find("ws.json", "rejoin_same_topic")
  const lanes = recordedLanes(entry.scenario, entry.file)
  change(lanes.get(lane))
  return judge(entry, lanes)
}

test("a missing frame is unexpected", () => {
  const { verdict, wrong } = changed((frames) => frames.pop())
  assert.equal(verdict, "unexpected")
  assert.match(wrong, /nothing more came/)
})

test("a frame too many is unexpected", () => {
  const { verdict, wrong } = changed((frames) => frames.push(frames.at(-1)))
  assert.equal(verdict, "unexpected")
  assert.match(wrong, /not expected/)
})

test("frames out of order are unexpected", () => {
  const { verdict } = changed((frames) => frames.splice(0, 2, frames[1], frames[0]))
  assert.equal(verdict, "unexpected")
})

test("a wrong ref is unexpected", () => {
  const { verdict, wrong } = changed((frames) => (frames[0].json.ref = 1))
  assert.equal(verdict, "unexpected")
  assert.match(wrong, /ref: expected "1", got 1/)
})

test("a key too many is unexpected", () => {
  const { verdict, wrong } = changed((frames) => (frames[0].json.join_ref = null))
  assert.equal(verdict, "unexpected")
  assert.match(wrong, /unexpected "join_ref"/)
})

test("a phx_ref that belongs to nobody is unexpected", () => {
  const { verdict, wrong } = changed((frames) => (leaveIn(frames).metas[0].phx_ref = "other"), `B on ${TOPIC}`)
  assert.equal(verdict, "unexpected")
  assert.match(wrong, /phx_ref/)
})

const leaveIn = (frames) => frames.map(({ json }) => json.payload.leaves?.alice).find(Boolean)

test("whether one sees its own leave when joining again is chance", () => {
  const { verdict, wrong } = changed((frames) => {
    const rejoin = frames.findIndex(({ json }) => json.event === "phx_close")
    const joined = frames.find(({ json }) => json.event === "presence_diff")
    const own = structuredClone(joined)
    own.json.payload = { joins: {}, leaves: joined.json.payload.joins }
    frames.splice(rejoin, 0, own)
  })
  assert.equal(verdict, "same", wrong)
})

test("the leave of someone else is no chance", () => {
  const { verdict } = changed((frames) => {
    const own = structuredClone(frames.find(({ json }) => json.event === "presence_diff"))
    own.json.payload = { joins: {}, leaves: { stranger: { metas: [{ phx_ref: "x", online_at: Date.now() }] } } }
    frames.splice(4, 0, own)
  })
  assert.equal(verdict, "unexpected")
})

test("a second connection closed, or not closed, is unexpected", () => {
  const entry = find("ws.json", "clean_close_1000")
  const lanes = recordedLanes(entry.scenario, entry.file)
  lanes.get("A").pop()
  assert.equal(judge(entry, lanes).verdict, "unexpected")
  const other = find("ws.json", "push_event")
  const otherLanes = recordedLanes(other.scenario, other.file)
  otherLanes.get("D").push({ tcp: "closed" })
  assert.equal(judge(other, otherLanes).verdict, "unexpected")
})

test("who sees whom first among joins at one instant is chance, but each sees each once", () => {
  const entry = find("ws.json", "join_same_instant")
  const lanes = recordedLanes(entry.scenario, entry.file)
  const key = (socket) => `${socket} on "lobby:${credentials.get("app1.app_key")}:join3"`
  const [a, b] = [lanes.get(key("A")), lanes.get(key("B"))]
  const [aliceDiff, bobDiff] = [a[2], a[3]]
  a[1].json.payload = bobDiff.json.payload.joins
  a.pop()
  b[1].json.payload = {}
  b.push(aliceDiff)
  assert.equal(judge(entry, lanes).verdict, "same")
  b.pop()
  assert.equal(judge(entry, lanes).verdict, "unexpected")
  b.push(aliceDiff, aliceDiff)
  assert.equal(judge(entry, lanes).verdict, "unexpected")
})

test("an idle socket that is closed early is unexpected", () => {
  const entry = find("ws.json", "idle_60s")
  const [course] = coursesOf(entry.scenario, entry.file, credentials)
  const lanes = recordedLanes(entry.scenario, entry.file)
  const close = lanes.get("A").find(({ op }) => op === "close")
  close.code = 1001
  assert.equal(verdictOn([course], lanes).verdict, "difference")
  close.at -= 20_000
  assert.equal(verdictOn([course], lanes).verdict, "unexpected")
})
