// Clients of all kinds, some of whom go and as many come every second.

import { PollingClient } from "./poller.js"
import { SocketClient } from "./socket.js"

/**
 * Where clients connect, and as whom.
 *
 * @typedef {{http: string, appKey: string, params: Record<string, string>}} Place
 */

/** Of ten clients: how they connect. */
const KINDS = [
  ...Array(6).fill({ Client: SocketClient, vsn: "2.0.0" }),
  ...Array(2).fill({ Client: SocketClient, vsn: "1.0.0" }),
  { Client: PollingClient, vsn: "2.0.0" },
  { Client: PollingClient, vsn: "1.0.0" },
]

const WAYS_TO_END = ["leave", "close", "gone"]

export class Crowd {
  /** Clients that were refused, or ended before they had joined. */
  failed = 0
  #clients = []
  #came = 0

  /** @param {Place} place */
  constructor(place, { topics }) {
    this.place = place
    this.topics = topics
  }

  get size() {
    return this.#clients.length
  }

  /** Messages that those who are there have received. */
  get received() {
    return this.#clients.reduce((sum, client) => sum + client.received, 0)
  }

  come(count) {
    for (let i = 0; i < count; i++) {
      const number = this.#came++
      const { Client, vsn } = KINDS[number % KINDS.length]
      const topic = `lobby:${this.place.appKey}:room${Math.floor(number / KINDS.length) % this.topics}`
      const client = new Client(this.place, `user${number}`, { vsn, topic })
      client.joined.then((joined) => joined || client.isGoing || this.failed++)
      this.#clients.push(client)
    }
  }

  /** The longest there go. */
  go(count) {
    for (const [at, client] of this.#clients.splice(0, count).entries()) {
      client.isGoing = true
      client.end(WAYS_TO_END[at % WAYS_TO_END.length])
    }
  }

  /** Some push an event to their topics. */
  push(count) {
    for (let i = 0; i < count; i++) {
      const client = this.#clients[Math.floor(Math.random() * this.#clients.length)]
      client?.push("message", { text: "x".repeat(100), at: Date.now() })
    }
  }
}
