// Changes that the rows of DIFFERENCES.md ask for in longpoll.json and in the long-polling scenarios of v2.json: each
// rewrites the recorded answers.

import { matching, oneOf, someText } from "../replay/match.js"
import { JSON_TYPE } from "./answers.js"

const HEADERS = {
  "content-type": JSON_TYPE,
  "cache-control": "max-age=0, private, must-revalidate",
  "access-control-allow-origin": "*",
}

/** @returns {{steps: object[], row: string | null}[]} as of differences/sockets.js */
export function wantedLongpoll(scenario, steps) {
  if (!scenario.differs) return [{ steps, row: null }]
  const wanted = scenario.differs.reduce((rewritten, row) => rewriteBy(row, scenario)(rewritten), steps)
  return [{ steps: wanted, row: scenario.differs.join(",") }]
}

function rewriteBy(row, { scenario }) {
  const rewrite = ROWS[row]
  if (!rewrite) throw new Error(`differences/longpoll.js has nothing for ${row} (${scenario})`)
  return rewrite
}

const ROWS = {
  D1: (steps) =>
    answerEach(steps, crashed, (step) => (isOpening(step) ? refusedOpening : refused(isHuge(step) ? 413 : 400))),
  D8: (steps) => answerEach(steps, isOpening, () => opened),
  D11: sessionLivesOn,
  D16: payloadRefused,
  D21: binaryLeftOut,
  D22: (steps) => steps,
  D23: unreadableRefused,
  D43: (steps) => answerEach(steps, isRefused, () => answerOk({ status: 403, reason: someText })),
}

const crashed = ({ response }) => response?.status === 500

const isOpening = ({ request }) => request?.startsWith("GET ") && !/[?&]token=/.test(request)

const isRefused = ({ response }) => response?.json?.status === 403

const isHuge = ({ body }) => /…\(9\d{6}\)$/.test(body ?? "")

const answerOk = (json) => ({ status: 200, headers: HEADERS, json })

const refusedOpening = answerOk({ status: 403 })

const opened = answerOk({ messages: [], status: 410, token: "{session1}" })

/** The HTTP status, or the one in the body as with all other answers of long-polling. */
const refused = (status) => ({
  wantedAnswer: matching(
    `status ${status}`,
    (entry) => entry.status === status || (entry.status === 200 && entry.json?.status === status),
  ),
})

const answerEach = (steps, fits, answer) =>
  steps.map((step) => (fits(step) ? { ...step, response: answer(step) } : step))

const pollWith = (...messages) => answerOk({ token: "{session1}", status: 200, messages })

const isPost = ({ request }) => request?.startsWith("POST /socket")

const isPoll = ({ request }) => request?.startsWith("GET ") && /[?&]token=/.test(request)

const lastPoll = (steps) => steps.findLast(isPoll)

/** D11: what was answered with 401 is 200, and nothing ends. */
function sessionLivesOn(steps) {
  const refusal = steps.find(({ response }) => response?.json?.status === 401)
  const ended = steps.some((step) => isPost(step) && step.response.json?.status === 410)
  const alive = answerEach(
    steps,
    (step) => isPost(step) && [401, 410].includes(step.response.json?.status),
    () => answerOk({ status: 200 }),
  )
  if (!ended) return alive
  const reply = { ...refusal.json, payload: { status: "error", response: "invalid" }, event: "phx_reply" }
  return answerEach(
    alive,
    (step) => step === lastPoll(alive),
    () => pollWith(reply, heartbeatReply("hb")),
  )
}

const heartbeatReply = (ref) => ({ topic: "phoenix", ref, payload: { status: "ok", response: {} }, event: "phx_reply" })

/** D16: instead of the crash the poll brings an error reply. */
function payloadRefused(steps) {
  const push = steps.findLast(isPost)
  const payload = { status: "error", response: { reason: "payload must be an object" } }
  const reply = Array.isArray(push.json)
    ? { as: "string", json: [oneOf(push.json[0], null), push.json[1], push.json[2], "phx_reply", payload] }
    : { topic: push.json.topic, ref: push.json.ref, payload, event: "phx_reply" }
  return answerEach(
    steps,
    (step) => step === lastPoll(steps),
    () => pollWith(reply),
  )
}

/** D21: the poll that failed brings all but the binary message. */
function binaryLeftOut(steps) {
  const others = steps
    .filter(
      (step) =>
        step.socket && step.dir === "<" && Array.isArray(step.json) && ["before", "after"].includes(step.json[3]),
    )
    .map(({ json }) => JSON.stringify(json))
  return answerEach(steps, crashed, () => pollWith(...others))
}

/** D23: 400 at once, and the session lives on. What of a batch was worked off before is left open. */
function unreadableRefused(steps) {
  const unreadable = steps.find((step) => isPost(step) && step.response.json?.status !== 200)
  const batch = (unreadable.ndjson ?? [])
    .filter(Array.isArray)
    .map(([, ref]) => ({ ...arrayReply(ref), optional: true }))
  const alive = answerEach(
    steps,
    (step) => isPost(step) && step !== unreadable,
    () => answerOk({ status: 200 }),
  )
  const answered = answerEach(
    alive,
    (step) => step === lastPoll(alive),
    () => pollWith(...batch, arrayReply("hb")),
  )
  return answerEach(
    answered,
    (step) => step === unreadable,
    () => (emptyPart(unreadable) ? skipped : refused(400)),
  )
}

const arrayReply = (ref) => ({
  as: "string",
  json: [null, ref, "phoenix", "phx_reply", { status: "ok", response: {} }],
})

const emptyPart = ({ ndjson }) => ndjson?.includes("")

/** An empty part may also be skipped. */
const skipped = {
  wantedAnswer: matching(
    "status 400 or 200",
    ({ status, json }) => status === 400 || (status === 200 && [200, 400].includes(json?.status)),
  ),
}
