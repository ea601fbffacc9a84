// Replays http.json: one request after the other, each on its own connection, on a database nobody has used yet.

import { wantedAnswers } from "../differences/http.js"
import { isCut, restoreCut } from "../wire/cut-text.js"
import { sendRequest } from "../wire/http.js"
import { HttpContext } from "./http-context.js"
import { locationNamesId, matchRecorded, matchWanted } from "./http-answer.js"
import { replaySocketEntry } from "./http-socket-entries.js"
import { show } from "./match.js"

/**
 * @param {object[]} requests of http.json
 * @param {{address: object, credentials: import("../wire/credentials.js").Credentials}} target
 * @returns {AsyncGenerator<object>} a verdict for each entry, in order
 */
export async function* replayHttp(requests, { address, credentials }) {
  const context = new HttpContext(credentials.secret)
  for (const entry of requests) {
    const verdict = entry.request
      ? await replayRequest(entry, address, credentials, context)
      : await replaySocketEntry(entry, address, credentials, context, requests)
    yield { file: "http.json", class: entry.class, name: `${entry.section}/${entry.name}`, ...verdict }
  }
}

async function replayRequest(entry, address, credentials, context) {
  const request = requestOf(entry.request, credentials, context)
  const answer = await sendRequest(address, request)
  context.about(entry.request.path)
  const recorded = {
    ...entry.response,
    headers: entry.response.headers ?? {},
    json: filledJson(entry.response, credentials),
  }
  const verdict = entry.differs
    ? compareWithWanted(entry, recorded, answer, context)
    : compareWithRecorded(recorded, answer, context, request.headers["X-Request-Id"])
  if (answer.extra.length > 0)
    return { verdict: "unexpected", wrong: `behind the answer came ${show(answer.extra.toString())}` }
  return { ...verdict, sent: `${request.method} ${show(request.path)}`, got: describe(answer) }
}

function requestOf(recorded, credentials, context) {
  const fill = (text) => context.translate(credentials.fill(text))
  const body = recorded.json === undefined ? (recorded.body ?? null) : JSON.stringify(recorded.json)
  const whole = (text, tail) => (isCut(text) ? restoreCut(text, tail) : text)
  const headers = Object.entries(recorded.headers).map(([name, value]) => [name, value === null ? null : fill(value)])
  return {
    method: recorded.method,
    path: whole(fill(recorded.path), ""),
    headers: Object.fromEntries(headers),
    body: body === null ? null : whole(fill(body), '"}'),
  }
}

const filledJson = (response, credentials) =>
  response.json === undefined ? undefined : credentials.fillJson(response.json)

function compareWithRecorded(recorded, answer, context, requestId) {
  const attempt = context.clone()
  const wrong = matchRecorded(recorded, answer, attempt, requestId) ?? wrongLocation(answer)
  if (wrong) return { verdict: "unexpected", wrong, expected: describeRecorded(recorded) }
  context.adopt(attempt)
  return { verdict: "same" }
}

function compareWithWanted(entry, recorded, answer, context) {
  const { row, answers } = wantedAnswers(entry)
  if (answers.length === 0) return compareRuled(row, recorded, answer, context)
  const wrongs = answers.map((wanted) => matchWanted(wanted, recorded, answer, context))
  if (wrongs.includes(null)) return { verdict: "difference", row }
  const closest = answers.findIndex(({ status }) => status === answer.status)
  return {
    verdict: "unexpected",
    row,
    wrong: wrongs[Math.max(closest, 0)],
    expected: answers.map((wanted) => show(wanted)).join("\n or "),
  }
}

/** Rows that keep the recorded answer but for one thing, which the context (D14) or a look at the JWT (D10) checks. */
function compareRuled(row, recorded, answer, context) {
  if (row !== "D10") {
    const result = compareWithRecorded(recorded, answer, context)
    return result.verdict === "same" ? { verdict: "difference", row } : { ...result, row }
  }
  const result = compareWithRecorded({ ...recorded, json: { jwt: forChannels(recorded.json.jwt) } }, answer, context)
  return result.verdict === "same" ? { verdict: "difference", row } : { ...result, row }
}

function forChannels(jwt) {
  const [header, claims, signature] = jwt.split(".")
  const read = JSON.parse(Buffer.from(claims, "base64url").toString())
  delete read.pem.admin
  read["pusher_lite:use"] = "channel"
  return [header, Buffer.from(JSON.stringify(read)).toString("base64url"), signature].join(".")
}

const wrongLocation = (answer) =>
  locationNamesId(answer) ? null : `location names another id: ${answer.headers.location}`

const describe = (answer) => `${answer.status} ${show(answer.headers, 1_000)} ${show(answer.body.toString(), 1_000)}`

const describeRecorded = ({ status, headers, json, body }) =>
  `${status} ${show(headers, 1_000)} ${show(json ?? body, 1_000)}`
