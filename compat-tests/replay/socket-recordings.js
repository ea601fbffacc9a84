// Replays ws.json, v2.json and longpoll.json: many scenarios at once, each on topics of its own.

import { wantedLongpoll } from "../differences/longpoll.js"
import { leaveWebServerFree, wantedScenario } from "../differences/sockets.js"
import { align } from "./align.js"
import { expectationsOf } from "./expectations.js"
import { show } from "./match.js"
import { Player } from "./player.js"
import { prepareSteps } from "./prepare.js"
import { PresenceContext } from "./presence-context.js"
import { withRecordedSlips } from "./recorded-slips.js"
import { phasesOf } from "./timeline.js"

/** Waits of at least this long, in milliseconds, are time-outs of the server, whose length is compared. */
const LONG = 30_000
const TIME_TOLERANCE = 6_000

/**
 * @param {object} scenario
 * @param {{file: string, address: object, credentials: import("../wire/credentials.js").Credentials, powers?: object}} target
 * @returns {Promise<object>} the verdict
 */
export async function replayScenario(scenario, { file, address, credentials, powers }) {
  const about = { file, class: scenario.class, name: scenario.scenario }
  const courses = coursesOf(scenario, file, credentials)
  const player = new Player(address, powers)
  await player.play(courses[0].phases, (phase, isMeant) =>
    courses.some((course) => satisfied(course, player.lanes, phase, isMeant)),
  )
  return { ...about, ...verdictOn(courses, player.lanes) }
}

/**
 * @param {object[]} courses of coursesOf
 * @param {Map<string, object[]>} lanes what came, by lane
 */
export function verdictOn(courses, lanes) {
  const outcomes = courses.map((course) => ({ row: course.row, wrongs: judge(course, lanes) }))
  const right = outcomes.find(({ wrongs }) => wrongs.length === 0)
  if (right) return { verdict: right.row ? "difference" : "same", row: right.row ?? undefined }
  const [{ row, wrongs }] = outcomes
  return { verdict: "unexpected", row, wrong: wrongs.join("\n"), lanes: describeLanes(courses[0], lanes) }
}

/** The courses that are right, ready to be compared. They do the same things and differ in what comes back. */
export function coursesOf(scenario, file, credentials) {
  const recorded = withRecordedSlips(scenario.steps, file)
  const steps = file === "v2.json" ? leaveWebServerFree(recorded) : recorded
  const wanted = isLongpoll(scenario) ? wantedLongpoll(scenario, steps) : wantedScenario(scenario, steps)
  return wanted.map((course) => {
    const phases = phasesOf(prepareSteps(course.steps, credentials))
    return { row: course.row, phases, ...expectationsOf(phases) }
  })
}

/** Returns true if long-polling is the subject of a scenario, rather than part of it. */
const isLongpoll = ({ scenario, steps }) =>
  scenario.startsWith("lp_") || (steps[0].request ?? steps.at(-1).request) !== undefined

/** Returns true if everything up to a phase has come on the given lanes. */
function satisfied({ lanes }, received, phase, isMeant = () => true) {
  const context = new PresenceContext()
  for (const [lane, items] of lanes) {
    if (!isMeant(lane)) continue
    const due = items.filter((item) => item.phase <= phase && !item.optional)
    if (
      due.length > 0 &&
      align(
        items.filter((item) => item.phase <= phase),
        received.get(lane) ?? [],
        context,
      ).wrong
    )
      return false
  }
  return true
}

/** @returns {string[]} what is wrong, lane by lane */
function judge({ lanes, mayFollow, phases }, received) {
  const context = new PresenceContext()
  const wrongs = []
  for (const lane of new Set([...lanes.keys(), ...received.keys()])) {
    const result = align(lanes.get(lane) ?? [], received.get(lane) ?? [], context)
    if (result.wrong) wrongs.push(`${lane}: ${result.wrong}`)
    const extra = result.extra?.filter((frame) => !mayFollow.get(lane)?.(frame))
    if (extra?.length > 0)
      wrongs.push(`${lane}: not expected: ${extra.map((frame) => show(readable(frame))).join(", ")}`)
  }
  return [...wrongs, ...wrongTimes(phases, received)]
}

/** Closings that the recording waited long for must come at that time: idle time-outs. */
function wrongTimes(phases, received) {
  const wrongs = []
  for (const step of phases.flatMap((phase) => phase.expected)) {
    const opened = phases
      .flatMap((phase) => phase.expected)
      .find((other) => other.status && other.socket === step.socket)
    if (step.op !== "close" || step.t - opened.t < LONG) continue
    const lane = received.get(step.socket) ?? []
    const [from, to] = [lane.find((entry) => entry.status), lane.find((entry) => entry.op === "close")]
    if (!from || !to) continue
    const [took, recorded] = [to.at - from.at, step.t - opened.t]
    if (Math.abs(took - recorded) > TIME_TOLERANCE) {
      wrongs.push(`${step.socket}: closed after ${took} ms, recorded ${recorded} ms`)
    }
  }
  return wrongs
}

function readable({ at, json, bytes, ...frame }) {
  return frame
}

/** All lanes that are not as expected, both sides, for --verbose. */
function describeLanes({ lanes }, received) {
  const described = []
  for (const lane of new Set([...lanes.keys(), ...received.keys()])) {
    const expected = (lanes.get(lane) ?? []).flatMap((item) => item.together?.recorded ?? [item.step]).map(readableStep)
    described.push({ lane, expected, got: (received.get(lane) ?? []).map((frame) => show(readable(frame), 600)) })
  }
  return described
}

const readableStep = ({ t, dir, socket, ...step }) => show(step, 600)
