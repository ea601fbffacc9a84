// A client over long-polling.

import http from "node:http"
import { isEvent, isJoin, messageText } from "./messages.js"

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, timeout: 30_000 })

export class PollingClient {
  /** Events heard. */
  heard = 0
  #ended = false
  #token = null

  /** @param {import("./crowd.js").Place} place */
  constructor(place, user, { vsn, topic }) {
    this.vsn = vsn
    this.topic = topic
    this.url = `${place.http}/socket/longpoll`
    this.headers = place.headers
    this.params = { ...place.params, unique_identifier: user, vsn }
    this.joined = new Promise((resolve) => {
      this.#poll(resolve).catch(() => {}).finally(() => resolve(false))
    })
  }

  push(event, payload) {
    // Fails when the session has ended meanwhile, which polling finds out.
    if (this.#token) this.#request("POST", messageText(this.vsn, this.topic, event, payload)).catch(() => {})
  }

  /** Long-polling clients do not say that they go; some leave. */
  end(how) {
    if (how === "leave") this.push("phx_leave", {})
    this.#ended = true
    if (how === "gone") this.request?.destroy()
  }

  async #poll(joined) {
    while (!this.#ended) {
      const { status, token, messages = [] } = await this.#request("GET")
      if (status === 410) {
        this.#token = token
        this.push("phx_join", {})
      } else if (status !== 200 && status !== 204) {
        throw new Error(`a poll is answered with ${status}`)
      }
      const texts = messages.map((message) => (typeof message === "string" ? message : JSON.stringify(message)))
      if (texts.some(isJoin)) joined(true)
      this.heard += texts.filter(isEvent).length
    }
  }

  #request(method, body) {
    const query = new URLSearchParams({ ...this.params, ...(this.#token && { token: this.#token }) })
    return new Promise((resolve, reject) => {
      const request = http.request(`${this.url}?${query}`, { method, agent, headers: this.headers }, (response) => {
        const parts = []
        response.on("data", (part) => parts.push(part))
        response.on("error", reject)
        response.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(parts).toString()))
          } catch (error) {
            reject(error)
          }
        })
      })
      if (method === "GET") this.request = request
      request.on("error", reject)
      request.end(body)
    })
  }
}
