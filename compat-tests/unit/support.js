// Recordings as if they had just come from a server, and credentials that need none.

import { acceptOf } from "../replay/normal-form.js"
import { laneOf, phasesOf } from "../replay/timeline.js"
import { prepareSteps } from "../replay/prepare.js"
import { withRecordedSlips } from "../replay/recorded-slips.js"
import { fixture } from "../target/settings.js"
import { Credentials } from "../wire/credentials.js"

const creds = fixture("creds.json")

/** JWTs stand for themselves, the rest is real. */
export const credentials = new Credentials(
  new Map(
    Object.entries(creds.apps).flatMap(([name, app]) =>
      Object.entries(app).map(([key, value]) => [`${name}.${key}`, String(value)]),
    ),
  ),
  creds.guardian_secret,
)

/** Returns the lanes that the player would have written down if the server had answered just as recorded. */
export function recordedLanes(scenario, file) {
  const lanes = new Map()
  for (const step of phasesOf(prepareSteps(withRecordedSlips(scenario.steps, file), credentials)).flatMap(
    ({ expected }) => expected,
  )) {
    const lane = laneOf(step)
    if (!lanes.has(lane)) lanes.set(lane, [])
    lanes.get(lane).push(asReceived(step))
  }
  return lanes
}

function asReceived(step) {
  const { t, dir, socket, label, ...rest } = JSON.parse(JSON.stringify(step))
  const entry = { ...rest, at: t }
  if (step.answer && step.id !== undefined) return { ...entry, text: step.body ?? "" }
  if (step.answer)
    return {
      status: step.status,
      json: withTimeNow(entry.json),
      text: step.json === undefined ? (step.body ?? "") : "",
    }
  if (step.status !== undefined) return { ...entry, headers: withAccept(step), accept: acceptOf("key") }
  return step.op === "text" ? received(withTimeNow(entry.json), entry) : entry
}

const received = (json, entry) => ({ ...entry, json, text: entry.text ?? JSON.stringify(json) })

const withAccept = ({ status, headers }) =>
  status === 101 ? { ...headers, "sec-websocket-accept": acceptOf("key") } : headers

function withTimeNow(value) {
  if (Array.isArray(value)) return value.map(withTimeNow)
  if (value === null || typeof value !== "object") return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === "online_at" ? Date.now() : withTimeNow(item)]),
  )
}
