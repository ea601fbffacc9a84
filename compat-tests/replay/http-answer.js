// Compares an answer of the REST API: status, the headers that mean something, and the body's JSON meaning.

import { match, Matcher, show } from "./match.js"
import { parseJson } from "./wire-message.js"

/** Headers that must be there with the recorded value when they were recorded, and not be there when they were not. */
const COMPARED = [
  "content-type",
  "location",
  "allow",
  "cache-control",
  "vary",
  "set-cookie",
  "www-authenticate",
  "content-encoding",
  "access-control-allow-origin",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-allow-credentials",
  "access-control-expose-headers",
  "access-control-max-age",
]

/**
 * @param {object} recorded `response` of http.json
 * @param {object} answer as it came
 * @param {import("./http-context.js").HttpContext} context
 * @param {string | undefined} requestId the `x-request-id` that was sent
 */
export function matchRecorded(recorded, answer, context, requestId) {
  if (recorded.status !== answer.status) return `expected status ${recorded.status}, got ${answer.status}`
  return (
    matchHeaders(recorded.headers, answer.headers, COMPARED, context) ??
    matchRequestId(recorded.headers, answer.headers, requestId) ??
    (recorded.json === undefined
      ? match(recorded.body ?? "", answer.body.toString(), context, "body")
      : matchJson(recorded.json, answer, context))
  )
}

/**
 * @param {object} wanted one of the answers of differences/http.js
 * @param {object} recorded its headers hold too where the status is the recorded one
 */
export function matchWanted(wanted, recorded, answer, context) {
  if (wanted.status !== answer.status) return `expected status ${wanted.status}, got ${answer.status}`
  return (
    matchWantedHeaders(wanted, recorded, answer, context) ??
    (wanted.json === undefined ? null : matchJson(wanted.json, answer, context)) ??
    (wanted.text === undefined ? null : match(wanted.text, answer.body.toString(), context, "body"))
  )
}

function matchWantedHeaders(wanted, recorded, answer, context) {
  const type = wanted.type === undefined ? null : matchHeader("content-type", wanted.type, answer.headers)
  if (type) return type
  for (const [name, value] of Object.entries(wanted.headers ?? {})) {
    const wrong = matchHeader(name, value, answer.headers)
    if (wrong) return wrong
  }
  if (wanted.freeHeaders || wanted.headers || wanted.status !== recorded.status) return null
  const compared = COMPARED.filter((name) => name !== "content-type")
  return (
    matchHeaders(recorded.headers, answer.headers, compared, context) ??
    matchRequestId(recorded.headers, answer.headers)
  )
}

function matchHeaders(recorded, actual, names, context) {
  for (const name of names) {
    const expected = name in recorded ? context.translate(recorded[name]) : null
    const wrong =
      name === "location" ? matchLocation(recorded[name], actual[name], context) : matchHeader(name, expected, actual)
    if (wrong) return wrong
  }
  return null
}

/** The headers that are compared of answers with nothing made up in them. */
export const matchPlainHeaders = (recorded, actual) =>
  matchHeaders(recorded, actual, COMPARED, { translate: (text) => text })

/** The location carries the new id, which is known only when the body has been compared: its shape is checked here. */
function matchLocation(recorded, actual) {
  if (recorded === undefined || actual === undefined) {
    return recorded === actual ? null : `location: expected ${recorded ?? "none"}, got ${actual ?? "none"}`
  }
  const shape = (path) => path.replace(/\d+/g, "N")
  return shape(recorded) === shape(actual) ? null : `location: expected one like ${recorded}, got ${actual}`
}

/** D39: a 404 says which methods its path has, if it has others. */
const METHODS = /^[A-Z]+(, [A-Z]+)*$/

function matchHeader(name, expected, headers) {
  const actual = headers[name] ?? null
  if (name === "allow" && expected === null && METHODS.test(actual ?? "GET")) return null
  if (expected instanceof Matcher) return match(expected, actual, undefined, name)
  if (name === "content-type" && expected !== null && actual !== null) {
    return normalType(expected) === normalType(actual) ? null : `${name}: expected ${expected}, got ${actual}`
  }
  return expected === actual ? null : `${name}: expected ${show(expected)}, got ${show(actual)}`
}

const normalType = (type) => type.toLowerCase().replaceAll(" ", "")

function matchRequestId(recorded, actual, sent) {
  const id = actual["x-request-id"]
  if (!("x-request-id" in recorded)) return null
  if (!id) return "x-request-id is missing"
  return sent === undefined || recorded["x-request-id"] !== sent || id === sent
    ? null
    : `x-request-id: expected ${sent}, got ${id}`
}

function matchJson(expected, answer, context) {
  const actual = parseJson(answer.body.toString())
  return actual === undefined ? `no JSON: ${show(answer.body.toString())}` : match(expected, actual, context)
}

/** Returns true if `location` names the id in the body. Called after the body was compared. */
export function locationNamesId(answer) {
  const id = parseJson(answer.body.toString())?.data?.id
  return answer.headers.location === undefined || answer.headers.location.endsWith(`/${id}`)
}
