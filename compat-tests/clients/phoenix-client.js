// The real phoenix.js of several years, behind one interface. What differs between them is told here and nowhere else.

import { createRequire } from "node:module"
import WebSocket from "ws"
import { Inbox } from "./inbox.js"

const require = createRequire(import.meta.url)

/** One for each way to speak: vsn 1, vsn 2 of old, vsn 2 of today. */
export const VERSIONS = ["1.2.1", "1.5.14", "1.8.16"]

/** Reconnects at once rather than after the seconds that old versions wait. */
const SOON = () => 50

/** Short, so that heartbeats are seen, and since 1.5 forgets to end the timer: the process would live on for 30 s. */
const HEARTBEAT = 1_000

export class PhoenixClient {
  /** `open`, `close` and `error`, in order. */
  events = new Inbox()

  /**
   * @param {string} version one of VERSIONS
   * @param {{url: string, credentials: object}} server
   * @param {{uid: string, jwt?: string, appKey?: string}} who
   */
  constructor(
    version,
    { url, credentials },
    { uid, jwt = credentials.get("jwt.admin"), appKey = credentials.get("app1.app_key") },
  ) {
    this.version = version
    this.appKey = appKey
    this.phoenix = require(`phoenix-${version}`)
    const params = { app_key: appKey, guardian_token: jwt, unique_identifier: uid }
    const options = {
      transport: WebSocket,
      params,
      reconnectAfterMs: SOON,
      rejoinAfterMs: SOON,
      heartbeatIntervalMs: HEARTBEAT,
      timeout: 3_000,
    }
    this.socket = new this.phoenix.Socket(`${url.replace(/^http/, "ws")}/socket`, options)
    this.socket.onOpen(() => this.events.put("open"))
    this.socket.onClose(() => this.events.put("close"))
    this.socket.onError(() => this.events.put("error"))
  }

  connect() {
    this.socket.connect()
    return this
  }

  /** Resolves when the socket has opened `times` times in all. */
  opened(times = 1) {
    const enough = (events) => events.filter((event) => event === "open").length >= times
    return this.events.until(enough, `${this.version}: opening no. ${times}`)
  }

  /** A channel on `lobby:<app_key>:<topic>`, not joined yet. */
  channel(topic, params = {}) {
    return new ClientChannel(this, this.socket.channel(`lobby:${this.appKey}:${topic}`, params))
  }

  /** Ends it for good: 1.2.1 would go on with heartbeats and reconnecting, and every version with joining what was refused. */
  disconnect() {
    this.socket.disconnect()
    clearInterval(this.socket.heartbeatTimer)
    this.socket.reconnectTimer.reset()
    for (const channel of this.socket.channels) channel.rejoinTimer.reset()
  }
}

class ClientChannel {
  /** `[event, payload]` of what was heard. */
  heard = new Inbox()
  /** The users now present, as `{uid: number of devices}`, after every change. */
  presence = new Inbox()

  constructor(client, channel) {
    this.client = client
    this.channel = channel
    this.#followPresence()
  }

  /** Writes down every `event` that is heard from now on. */
  on(event) {
    this.channel.on(event, (payload) => this.heard.put([event, payload]))
    return this
  }

  /** @returns {Promise<unknown>} the server's answer; rejects with its error */
  join() {
    return answerTo(this.channel.join())
  }

  leave() {
    return answerTo(this.channel.leave())
  }

  push(event, payload) {
    return this.channel.push(event, payload)
  }

  /** Resolves when `event` was heard with this payload. */
  hears(event, payload) {
    const wanted = JSON.stringify([event, payload])
    const what = `${this.client.version}: ${wanted}`
    return this.heard.has((item) => JSON.stringify(item) === wanted, what)
  }

  /** Resolves when these users are present, each on that many devices. */
  sees(users) {
    const wanted = sorted(users)
    return this.presence.until((items) => items.at(-1) === wanted, `${this.client.version}: presence ${wanted}`)
  }

  #followPresence() {
    const { Presence } = this.client.phoenix
    if (this.client.version === "1.2.1") return this.#syncByHand(Presence)
    const presence = new Presence(this.channel)
    presence.onSync(() => this.#tell(presence.list((uid, { metas }) => [uid, metas.length])))
  }

  /** Before 1.4 an application kept the state itself. */
  #syncByHand(Presence) {
    let state = {}
    const tell = () => this.#tell(Presence.list(state, (uid, { metas }) => [uid, metas.length]))
    this.channel.on("presence_state", (full) => {
      state = Presence.syncState(state, full)
      tell()
    })
    this.channel.on("presence_diff", (diff) => {
      state = Presence.syncDiff(state, diff)
      tell()
    })
  }

  #tell(users) {
    this.presence.put(sorted(Object.fromEntries(users)))
  }
}

const sorted = (users) => JSON.stringify(Object.entries(users).sort())

/** @returns {Promise<unknown>} the answer to a push; rejects with what it was refused with */
export function answerTo(push) {
  return new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", (response) => reject(new Refusal(response)))
      .receive("timeout", () => reject(new Error("no answer in time")))
  })
}

export class Refusal extends Error {
  constructor(response) {
    super(`refused: ${JSON.stringify(response)}`)
    this.response = response
  }
}
