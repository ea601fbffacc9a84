// The long-polling side of a scenario: sends its requests, follows the sessions' tokens, takes the messages out.

import { encodeBinaryMessage, recordedData } from "../wire/binary-message.js"
import { sendRequest } from "../wire/http.js"
import { parseJson } from "./wire-message.js"

/** Polls that may be needed for what came with one in the recording. */
const POLLS_AT_MOST = 10

export class Poller {
  /** placeholder such as `{session1}` -> token */
  #tokens = new Map()

  /**
   * @param {{host: string, port: number}} address
   * @param {(step: object, entry: object) => void} write notes what came on its lane
   */
  constructor(address, write) {
    this.address = address
    this.write = write
  }

  /**
   * Sends a recorded request. A poll is repeated until everything that the recorded one brought has come.
   *
   * @param {object} action
   * @param {() => boolean} complete whether the session's messages up to the end of this request have come
   */
  async send(action, complete) {
    if (action.poll && action.brings > 0) return this.#pollUntil(action, complete)
    this.#note(action, await this.#once(action))
  }

  async #pollUntil(action, complete) {
    let entry = action.whenNothingIsLeft
    for (let polls = 0; polls < POLLS_AT_MOST && !complete(); polls++) {
      entry = await this.#once(action)
      if (entry.json?.status !== 200) break
    }
    this.#note(action, entry)
  }

  #note(action, entry) {
    this.write({ ...action, answer: true }, entry)
  }

  async #once(action) {
    const [method, path] = this.#filled(action.request).split(" ")
    const answer = await sendRequest(this.address, { method, path, headers: action.headers, body: bodyOf(action) })
    const text = answer.body.toString()
    const json = parseJson(text)
    for (const message of json?.messages ?? []) this.#take(message, action.socket)
    return { status: answer.status, headers: answer.headers, text, json: this.#withPlaceholders(json) }
  }

  #take(message, session) {
    const string = typeof message === "string"
    const json = string ? parseJson(message) : message
    const entry = {
      op: "text",
      as: string ? "string" : "object",
      text: string ? message : JSON.stringify(message),
      json,
    }
    this.write({ ...entry, socket: session, dir: "<" }, entry)
  }

  #filled(request) {
    return request.replace(/\{session\d+\}/g, (placeholder) =>
      encodeURIComponent(this.#tokens.get(placeholder) ?? placeholder),
    )
  }

  /** The answer with placeholders for tokens, numbered as they appear, and without its messages. */
  #withPlaceholders(json) {
    if (json === null || typeof json !== "object" || Array.isArray(json)) return json
    const messages = "messages" in json ? { messages: [] } : {}
    return { ...json, ...("token" in json ? { token: this.#placeholderOf(json.token) } : {}), ...messages }
  }

  #placeholderOf(token) {
    const known = [...this.#tokens].find(([, other]) => other === token)
    if (known) return known[0]
    const placeholder = `{session${this.#tokens.size + 1}}`
    this.#tokens.set(placeholder, token)
    return placeholder
  }
}

function bodyOf({ request, json, body, ndjson, separator = "\n" }) {
  if (ndjson) return ndjson.map(partOf).join(separator)
  if (json !== undefined) return JSON.stringify(json)
  return request.startsWith("GET ") || request.startsWith("OPTIONS ") ? null : (body ?? "")
}

/** Arrays are compact JSON, strings go as they are, binary messages in base64. */
function partOf(part) {
  if (typeof part === "string") return part
  if (!part.base64_of) return JSON.stringify(part)
  const message = { ...part.base64_of, data: recordedData(part.base64_of.data) }
  return encodeBinaryMessage(message).toString("base64")
}
