// The judge of REST answers: what was recorded is the same, what a row wants otherwise is not.

import assert from "node:assert/strict"
import test from "node:test"
import { wantedAnswers } from "../differences/http.js"
import { matchRecorded, matchWanted } from "../replay/http-answer.js"
import { HttpContext } from "../replay/http-context.js"
import { rawValue } from "../differences/raw-value.js"
import { fixture } from "../target/settings.js"

const { requests } = fixture("http.json")
const secret = fixture("creds.json").guardian_secret

const withRequest = requests.filter(({ request }) => request)

/** The recorded answer as bytes, as if it had just come. */
function asReceived({ status, headers = {}, json, body = "" }) {
  return {
    status,
    headers,
    body: Buffer.from(json === undefined ? body : JSON.stringify(json)),
    extra: Buffer.alloc(0),
  }
}

/** Made up at the time of the recording: ids, keys and times come anew, and are judged otherwise. */
const isMadeUp = ({ response }) => /-11f1-|"jwt"|2026-11-22/.test(JSON.stringify(response.json ?? null))

test("what was recorded is the same", () => {
  for (const { request, response, name } of withRequest.filter((entry) => !entry.differs && !isMadeUp(entry))) {
    const context = new HttpContext(secret)
    context.about(request.path)
    assert.equal(matchRecorded({ headers: {}, ...response }, asReceived(response), context), null, name)
  }
})

test("what a row wants otherwise is unexpected when it comes as recorded", () => {
  const free = ["preflight header not allowed", "preflight method not allowed", "wrong method HEAD"]
  for (const entry of withRequest.filter(({ differs, name }) => differs && !free.includes(name))) {
    const { answers } = wantedAnswers(entry)
    const context = new HttpContext(secret)
    context.about(entry.request.path)
    const answer = asReceived(entry.response)
    const fits = answers.some(
      (wanted) => matchWanted(wanted, { headers: {}, ...entry.response }, answer, context) === null,
    )
    if (entry.name === "HTTP/1.1 no Host") continue
    assert.equal(fits, false, `${entry.section}/${entry.name}`)
  }
})

const organization = {
  status: 200,
  headers: { "content-type": "application/json; charset=utf-8" },
  json: { data: { id: 1, name: "Acme Inc." } },
}

function judged(change) {
  const answer = structuredClone(organization)
  change(answer)
  const context = new HttpContext(secret)
  context.about("/api/organizations/1")
  return matchRecorded(organization, asReceived(answer), context)
}

test("a wrong status, header, value, or a key too many is seen", () => {
  assert.equal(
    judged(() => {}),
    null,
  )
  assert.match(
    judged((answer) => (answer.status = 201)),
    /status 200, got 201/,
  )
  assert.match(
    judged((answer) => (answer.headers["content-type"] = "text/html")),
    /content-type/,
  )
  assert.match(
    judged((answer) => (answer.headers["access-control-allow-origin"] = "*")),
    /allow-origin/,
  )
  assert.match(
    judged((answer) => (answer.json.data.name = "Acme")),
    /name/,
  )
  assert.match(
    judged((answer) => (answer.json.data.slug = "acme")),
    /unexpected "slug"/,
  )
})

test("ids that the server gives are followed, in answers and in requests", () => {
  const context = new HttpContext(secret)
  context.about("/api/organizations")
  assert.equal(context.special("id", 7, 6), null)
  assert.equal(context.special("id", 7, 6), null)
  assert.match(context.special("id", 7, 8), /id is 8, not 6/)
  assert.match(context.special("id", 1, 2), /id is 2, not 1/)
  assert.equal(context.translate("/api/organizations/7/applications"), "/api/organizations/6/applications")
  assert.equal(context.translate("/api/organizations/7abc"), "/api/organizations/7abc")
})

test("new keys are version 4 UUIDs and followed", () => {
  const context = new HttpContext(secret)
  const recorded = "8aedec90-e6cb-11f1-8686-f2fc4c7451a7"
  assert.match(context.special("app_key", recorded, "8aedec90-e6cb-11f1-8686-f2fc4c7451a8"), /version 4/)
  const fresh = "6f1c1f0e-5c5c-4f0e-9d43-0d9b7b7f3c11"
  assert.equal(context.special("app_key", recorded, fresh), null)
  assert.equal(context.translate(`/applications/${recorded}`), `/applications/${fresh}`)
})

test("a value is cut out of JSON as it was written", () => {
  assert.equal(rawValue('["1", null,"t","e", {"z":1e3, "a":"]}\\""} ]', 4), '{"z":1e3, "a":"]}\\""}')
  assert.equal(rawValue('{"topic":"t","payload":{"a":-0,"a":1.10},"ref":null}', "payload"), '{"a":-0,"a":1.10}')
  assert.equal(rawValue('{"a":[],"payload":"x"}', "payload"), '"x"')
})
