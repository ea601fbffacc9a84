// Long-polling steps as the player sees them: a request that is sent, its answer, and the messages in it, which belong to
// a session as frames belong to a socket. How they are spread over consecutive polls is timing; their sequence counts.

import { parseJson } from "./wire-message.js"

/** An answer that took until right before the next request has come before it. */
const SLACK = 20

/**
 * @param {object[]} steps
 * @returns {object[]} steps in order of time, each request apart from its answer
 */
export function withAnswersApart(steps) {
  if (!steps.some((step) => step.request)) return steps
  const events = steps.flatMap((step, index) => (step.request ? apart(step, index, steps) : [step]))
  return events.sort((a, b) => a.t - b.t || rank(a) - rank(b))
}

/** At one moment, an answer comes before what was done next; frames stay as they are. */
const rank = (step) => (step.id !== undefined && step.dir === "<" ? 0 : 1)

function apart(step, id, steps) {
  const { response, took_ms, ...request } = step
  const socket = sessionOf(request.request)
  const t = endOf(step, steps)
  const received = envelope(response)
  const messages = (response.json?.messages ?? []).map((message) => ({ ...messageStep(message, socket), t, id }))
  const action = { ...request, id, socket, poll: isPoll(step), brings: messages.length, whenNothingIsLeft: received }
  return [action, { t, dir: "<", answer: true, id, label: request.label, ...received }, ...messages]
}

/** The placeholder of the token in a path, such as `{session1}`. */
const sessionOf = (request) => /[?&]token=([^&]*)/.exec(request)?.[1]

/** Returns true if this waits for messages: a GET with a token. */
const isPoll = ({ request }) => request.startsWith("GET ") && sessionOf(request) !== undefined

function endOf({ t, took_ms }, steps) {
  const next = Math.min(...steps.filter((step) => step.dir !== "<" && step.t > t).map((step) => step.t))
  const end = t + took_ms
  return end > next && end - next < SLACK ? next : end
}

/** The answer without its messages; that there is a list of them stays visible. */
function envelope({ status, headers, json, body, note, wantedAnswer }) {
  if (wantedAnswer) return { wantedAnswer }
  if (status === null) return { status: null, note }
  const messages = json && "messages" in json ? { messages: [] } : {}
  return { status, headers, json: json && { ...json, ...messages }, body }
}

function messageStep(message, socket) {
  const on = { socket, dir: "<", op: "text" }
  if (message?.as) return { ...on, ...message }
  return typeof message === "string"
    ? { ...on, as: "string", json: parseJson(message) }
    : { ...on, as: "object", json: message }
}
