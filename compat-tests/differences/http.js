// Answers that the rows of DIFFERENCES.md ask for in http.json, by row and, where entries of one row differ, by entry.
// Each function returns the right answers; an empty list stands for the recorded one, checked by its row's own rule.

import { matching } from "../replay/match.js"
import { detail, forbidden, invalid, JSON_TYPE, messagesFor, page, taken, unauthenticated } from "./answers.js"

/**
 * @param {object} entry of http.json with `differs`
 * @returns {{row: string, answers: object[]}} any of `answers` is right
 */
export function wantedAnswers(entry) {
  for (const row of entry.differs) {
    const answers = ROWS[row]?.(entry, `${entry.section}/${entry.name}`)
    if (answers) return { row, answers }
  }
  throw new Error(`no wanted answer is known for ${entry.section}/${entry.name} (${entry.differs})`)
}

const ROWS = {
  D1: (entry, name) => D1[name] ?? missingAnswer(name),
  D2: (entry, name) => D2[name] ?? [sayWhatWasWrong(entry)],
  D3: (entry, name) => D3[name] ?? [forbidden],
  D4: (entry) => ("Authorization" in entry.request.headers ? [forbidden, unauthenticated] : [unauthenticated]),
  D5: () => [],
  D10: () => [],
  D12: () => [detail(404), detail(400)],
  D13: (entry, name) => D13[name] ?? [detail(404)],
  D14: () => [],
  D18: (entry, name) => D18[name] ?? missingAnswer(name),
}

function missingAnswer(name) {
  throw new Error(`differences/http.js has no answer for ${name}`)
}

const D1 = {
  "organizations/show huge id": [detail(404)],
  "organizations/create name 256 chars": [invalid({ organization: messagesFor("name", "slug") })],
  "organizations/create organization null": [invalid({ organization: ["is invalid"] }), detail(400)],
  "organizations/update slug duplicate": [invalid({ slug: taken })],
  "applications/create duplicate app_key": [invalid({ application: { app_key: taken } })],
  "applications/create name 256 chars": [invalid({ application: messagesFor("name") })],
  "applications/update duplicate key": [invalid({ app_key: taken })],
  "events/broadcast topic map": [invalid(messagesFor("topic")), detail(400)],
  "events/broadcast topic object json": [invalid(messagesFor("topic")), detail(400)],
  "extra/event name percent invalid": [detail(400)],
  "sockets/socket of an organization that is renamed": [],
}

const D2 = {
  // The bundle that the original's installation lacked is part of this server.
  "routing/GET /js/pusher.js default accept": [script()],
  "routing/GET /js/pusher.js Accept json": [script()],
  // The choice between the two formats that `_format` and `Accept` ask for is left open.
  "sessions/_format=html": [detail(406), page(406)],
  // No route was looked for yet, so that the answer may be the HTTP library's.
  "extra/HTTP/1.1 no Host": [detail(400), page(400), { status: 400, text: "" }].map((answer) => ({
    ...answer,
    freeHeaders: true,
  })),
}

function script() {
  return {
    status: 200,
    type: matching("a script", (type) => /^(text|application)\/javascript\b/.test(type ?? "")),
    text: matching("the bundle", (text) => text.includes("pusher_lite")),
    freeHeaders: true,
  }
}

/** D2: JSON for every /api path unless Accept asks for HTML only, a page for people elsewhere. */
function sayWhatWasWrong({ request, response }) {
  const { status } = response
  if (request.method === "HEAD") return { status, type: response.headers["content-type"], text: "" }
  const accept = Object.entries(request.headers).find(([header]) => header.toLowerCase() === "accept")?.[1] ?? ""
  const forPeople = request.path.startsWith("/api") ? accept === "text/html" : !accept.includes("json")
  return forPeople ? page(status) : detail(status)
}

const D3 = {
  // Root may use every organization; this one does not exist, which D1 answers by 404.
  "applications/index unknown slug": [detail(404), forbidden],
  "applications/create unknown org slug": [detail(404), forbidden],
  // Root, again: the path's organization counts, not the body's.
  "extra/org id override by body": [{ status: 204, text: "" }],
}

const D13 = {
  "organizations/show by slug": [
    { status: 200, type: JSON_TYPE, json: { data: { slug: "acme-inc", name: "Acme Inc.", id: 1, archived_at: null } } },
  ],
  "routing/GET /api/organizations/%ff Accept json": [detail(400), detail(404)],
}

const refusedPreflight = [200, 204, 403].map((status) => ({ status, headers: { "access-control-allow-origin": null } }))
const published = [{ status: 204, text: "" }]

const D18 = {
  "cors/preflight header not allowed": refusedPreflight,
  "cors/preflight method not allowed": refusedPreflight,
  "extra/event URL 5000 bytes": published,
  "extra/event URL 9000 bytes": published,
}
