// Replays jwt.json: each JWT against REST, a WebSocket and long-polling.

import { JSON_TYPE, TEXT_TYPE } from "../differences/answers.js"
import { wantedOf } from "../differences/jwt.js"
import { sendRequest } from "../wire/http.js"
import { signJwt } from "../wire/jwt.js"
import { RawSocket } from "../wire/raw-socket.js"
import { matchWanted } from "./http-answer.js"
import { next } from "./http-socket-entries.js"
import { plainContext, show, someText } from "./match.js"

const REST_COLUMNS = {
  organizations_index: { method: "GET", path: "/api/organizations" },
  applications_index: { method: "GET", path: "/api/organizations/acme-inc/applications" },
  organization_update_noop: { method: "PUT", path: "/api/organizations/1", body: '{"organization":{}}' },
}

const NOBODY_ELSES_TOPIC = "compat-jwt"

/**
 * @param {object[]} cases of jwt.json
 * @param {{address: object, credentials: import("../wire/credentials.js").Credentials}} target
 * @param {{longpoll: boolean}} columns whether to ask the long-poll column instead of the others
 */
export async function* replayJwt(cases, { address, credentials }, { longpoll }) {
  for (const [index, entry] of cases.entries()) {
    const jwt = () => jwtOf(entry, credentials.secret)
    const seen = longpoll
      ? await askLongpoll(await jwt(), address, credentials)
      : { ...(await askRest(jwt, address)), ...(await askSocket(await jwt(), address, credentials, index)) }
    yield {
      file: longpoll ? "jwt.json (long-poll)" : "jwt.json",
      class: entry.class,
      name: entry.case,
      ...judge(entry, seen),
    }
  }
}

/** A JWT made for one request, since `now` is the time of that request. */
async function jwtOf({ case: name, header, claims }, secret) {
  if (claims.exp === "now+0") await startOfSecond()
  const now = Math.floor(Date.now() / 1000)
  const real = Object.fromEntries(Object.entries(claims).map(([key, value]) => [key, realClaim(value, now)]))
  const jwt = signJwt(header, real, secret)
  return name === "whitespace" ? ` ${jwt} ` : jwt
}

/** A JWT that expires now is still good for the rest of this second, of which there should be enough. */
async function startOfSecond() {
  const into = Date.now() % 1_000
  if (into > 300) await new Promise((resolve) => setTimeout(resolve, 1_000 - into))
}

/** `now+5` is a number of seconds, `string now+5` the same as a string. */
function realClaim(value, now) {
  const relative = /^(string )?now([+-][\d.]+)$/.exec(value)
  if (!relative) return value
  const seconds = now + Number(relative[2])
  return relative[1] ? String(seconds) : seconds
}

async function askRest(jwt, address) {
  const seen = {}
  for (const [column, request] of Object.entries(REST_COLUMNS)) {
    const headers = { Authorization: `Bearer ${await jwt()}`, "Content-Type": "application/json" }
    seen[column] = await sendRequest(address, { ...request, headers })
  }
  return seen
}

async function askSocket(jwt, address, credentials, index) {
  const socket = new RawSocket(address)
  try {
    socket.connect(`GET /socket/websocket?${connectQuery(jwt, credentials)}`)
    const handshake = await next(socket, (entry) => entry.status !== undefined || entry.tcp)
    const connected = handshake?.status === 101
    return {
      websocket_connect: handshake?.status ?? "closed",
      websocket_push_is_broadcast: connected ? await pushComesBack(socket, credentials, index) : null,
    }
  } finally {
    socket.destroy()
  }
}

function connectQuery(jwt, credentials) {
  const token = encodeURIComponent(jwt)
  return `app_key=${credentials.get("app1.app_key")}&guardian_token=${token}&unique_identifier=jwt&vsn=1.0.0`
}

async function pushComesBack(socket, credentials, index) {
  const topic = `lobby:${credentials.get("app1.app_key")}:${NOBODY_ELSES_TOPIC}-${index}`
  const send = (event, ref) => socket.sendText(JSON.stringify({ topic, event, payload: {}, ref }))
  send("phx_join", "1")
  send("echo", "2")
  const answer = await next(socket, (entry) => entry.op === "text" && /"echo"|"ref":"2"/.test(entry.text))
  return answer === undefined ? "no answer" : JSON.parse(answer.text).event === "echo"
}

async function askLongpoll(jwt, address, credentials) {
  const path = `/socket/longpoll?${connectQuery(jwt, credentials)}`
  return { longpoll_open: await sendRequest(address, { method: "GET", path }) }
}

function judge(entry, seen) {
  const wanted = wantedOf(entry, "longpoll_open" in seen)
  const wrongs = []
  for (const [column, actual] of Object.entries(seen)) {
    const right = wanted?.columns[column] ?? [entry[column]]
    const wrong = right.map((expected) => compareColumn(expected, actual))
    if (!wrong.includes(null)) wrongs.push(`${column}: ${wrong[0]}`)
  }
  if (wrongs.length > 0) return { verdict: "unexpected", row: wanted?.row, wrong: wrongs.join("\n") }
  const concerned = Object.keys(seen).some(
    (column) => wanted?.columns[column] && !isRecorded(entry[column], seen[column]),
  )
  return concerned ? { verdict: "difference", row: wanted.row } : { verdict: "same" }
}

const isRecorded = (recorded, actual) => compareColumn(recorded, actual) === null

function compareColumn(expected, actual) {
  if (Array.isArray(expected)) return compareAnswer(answerOf(expected), actual)
  if (typeof expected === "object" && expected !== null) return compareAnswer(expected, actual)
  return expected === actual ? null : `expected ${show(expected)}, got ${show(actual)}`
}

/** A recorded `[status, body]`; the body of a status 200 is not told. */
function answerOf([status, body]) {
  if (body === "Unauthenticated") return { status, type: TEXT_TYPE, text: body }
  if (body === "…") return { status, type: JSON_TYPE }
  if (body === "") return { status, text: "" }
  return { status, type: JSON_TYPE, json: recordedJson(body) }
}

const recordedJson = (body) => JSON.parse(body, (key, value) => (key === "token" && value === "…" ? someText : value))

function compareAnswer(wanted, answer) {
  return matchWanted({ ...wanted, freeHeaders: true }, { status: null, headers: {} }, answer, plainContext)
}
