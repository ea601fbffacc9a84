// Clients of all kinds, some of whom go and as many come every second.

import { EVENT } from "./messages.js"
import { PollingClient } from "./poller.js"
import { SocketClient } from "./socket.js"

/**
 * Address and identity with which clients connect.
 *
 * @typedef {{http: string, appKey: string, params: Record<string, string>, headers?: Record<string, string>}} Place
 */

/** A kind of clients, by their way to connect. */
class Kind {
  came = 0
  joined = 0
  /** Clients that were refused, were ended before they had joined, or had not joined for too long. */
  failed = 0
  /** Events. */
  heard = 0

  constructor(transport, Client, vsn) {
    this.name = `${transport}, version ${vsn}`
    this.Client = Client
    this.vsn = vsn
  }
}

const WAYS_TO_END = ["leave", "close", "gone"]

/** In milliseconds, on a machine that does other things as well. */
const JOINED_WITHIN = 15_000

export class Crowd {
  kinds = [
    new Kind("WebSocket", SocketClient, "2.0.0"),
    new Kind("WebSocket", SocketClient, "1.0.0"),
    new Kind("long-polling", PollingClient, "2.0.0"),
    new Kind("long-polling", PollingClient, "1.0.0"),
  ]
  #clients = []
  #came = 0
  #gone = 0

  /** @param {Place} place */
  constructor(place, { topics }) {
    this.place = place
    this.topics = topics
    const [websocket, websocketOld, longpoll, longpollOld] = this.kinds
    /** Of ten clients: how they connect. */
    this.turns = [...Array(6).fill(websocket), ...Array(2).fill(websocketOld), longpoll, longpollOld]
  }

  get size() {
    return this.#clients.length
  }

  come(count) {
    for (let i = 0; i < count; i++) {
      const number = this.#came++
      const kind = this.turns[number % this.turns.length]
      const topic = `lobby:${this.place.appKey}:room${Math.floor(number / this.turns.length) % this.topics}`
      // As if through a proxy, everyone from an address of their own.
      const address = [10, number >> 16, number >> 8, number].map((byte) => byte & 255).join(".")
      const place = { ...this.place, headers: { "x-forwarded-for": address } }
      const client = new kind.Client(place, `user${number}`, { vsn: kind.vsn, topic })
      kind.came++
      const one = { kind, client, came: performance.now(), hasJoined: false, isGoing: false }
      client.joined.then((joined) => {
        one.hasJoined = joined
        if (joined) kind.joined++
        else if (!one.isGoing) kind.failed++
      })
      this.#clients.push(one)
    }
  }

  /** Any of them go: some have just come, some are there for minutes. */
  go(count) {
    for (let i = 0; i < count; i++) {
      const at = Math.floor(Math.random() * this.#clients.length)
      const one = this.#clients[at]
      this.#clients[at] = this.#clients.at(-1)
      this.#clients.pop()
      one.isGoing = true
      const { kind, client, came, hasJoined } = one
      if (!hasJoined && performance.now() - came > JOINED_WITHIN) kind.failed++
      kind.heard += client.heard
      client.end(WAYS_TO_END[this.#gone++ % WAYS_TO_END.length])
    }
  }

  /** Some push an event to their topics. */
  push(count) {
    for (let i = 0; i < count; i++) {
      const one = this.#clients[Math.floor(Math.random() * this.#clients.length)]
      one?.client.push(EVENT, { text: "x".repeat(100), at: Date.now() })
    }
  }
}
