// The real phoenix.js of several years, behind one interface. What differs between them is told here and nowhere else.

import fs from "node:fs"
import { createRequire } from "node:module"
import path from "node:path"
import WebSocket from "ws"
import { Inbox } from "./inbox.js"
import { uncaught } from "./xhr.js"

const require = createRequire(import.meta.url)

/** The first and the last of each minor version that npm has. */
export const VERSIONS = [
  ...["1.2.0", "1.2.1"],
  ...["1.3.0", "1.3.5"],
  ...["1.4.0", "1.4.18"],
  ...["1.5.0", "1.5.14"],
  ...["1.6.0", "1.6.16"],
  ...["1.7.0", "1.7.23"],
  ...["1.8.0", "1.8.16"],
]

/** Those that send over long-polling whatever gathered in one batch, some of them however much it is. */
export const BATCHING_VERSIONS = ["1.7.0", "1.7.14", "1.7.21", "1.7.23", "1.8.0", "1.8.1", "1.8.16"]

/** One for each way to speak: vsn 1, vsn 2 of old, vsn 2 of today. */
export const SAMPLED_VERSIONS = ["1.2.1", "1.5.14", "1.8.16"]

export const TRANSPORTS = ["WebSocket", "long-polling"]

/**
 * Sooner than the seconds that old versions wait, but not so that 1.2 and 1.3, which join again and again until they are
 * answered, have two joins under way at once: over long-polling they may arrive in the wrong order.
 */
const SOON = (tries) => [50, 1_000, 2_000][tries - 1] ?? 3_000

/** Short, so that heartbeats are seen, and since 1.5 forgets to end the timer: the process would live on for 30 s. */
const HEARTBEAT = 1_000

/** Time that a client waits for an answer, in milliseconds. */
const ANSWERED_WITHIN = 10_000

const isBefore = (version, other) => version.localeCompare(other, "en", { numeric: true }) < 0

/** Long-polling clients of old throw when they are refused, and stop for good. */
export const stopsWhenRefused = (version, transport) => transport === "long-polling" && isBefore(version, "1.5")

/** Over long-polling 1.4.0 takes the loss of its connection for its own wish, and does not come back by itself. */
export const staysAway = (version, transport) => transport === "long-polling" && version === "1.4.0"

/** Later versions try again within milliseconds. */
export const waitsToReconnect = (version) => !isBefore("1.4.0", version)

/** The package of 1.6.0 can be neither required nor, before Node 20.19, imported: what it has for script tags is evaluated. */
function packageOf(version) {
  if (version !== "1.6.0") return require(`phoenix-${version}`)
  const script = path.join(import.meta.dirname, "..", "node_modules", "phoenix-1.6.0", "priv", "static", "phoenix.js")
  return new Function(`${fs.readFileSync(script, "utf8")}\nreturn Phoenix`)()
}

export class PhoenixClient {
  /** `open`, `close` and `error`, in order. */
  events = new Inbox()

  /**
   * @param {string} version one of VERSIONS
   * @param {{url: string, credentials: object}} server
   * @param {{uid: string, jwt?: string | null, appKey?: string}} who without a `jwt` in the parameters if that is null
   * @param {{transport?: string, options?: object}} how one of TRANSPORTS, and more options of phoenix.js
   */
  constructor(
    version,
    { url, credentials },
    { uid, jwt = credentials.get("jwt.admin"), appKey = credentials.get("app1.app_key") },
    { transport = "WebSocket", options = {} } = {},
  ) {
    Object.assign(this, { version, transport, uid, appKey })
    this.phoenix = packageOf(version)
    /** Read by the client at each attempt to connect. */
    this.params = { app_key: appKey, unique_identifier: uid, ...(jwt !== null && { guardian_token: jwt }) }
    this.socket = new this.phoenix.Socket(`${url.replace(/^http/, "ws")}/socket`, {
      transport: transport === "WebSocket" ? WebSocket : this.phoenix.LongPoll,
      params: this.params,
      reconnectAfterMs: SOON,
      rejoinAfterMs: SOON,
      heartbeatIntervalMs: HEARTBEAT,
      timeout: ANSWERED_WITHIN,
      ...options,
    })
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
    return this.events.until(() => this.openings >= times, `${this.version}: opening no. ${times}`)
  }

  /**
   * Resolves when an attempt to connect was refused after there had been `errors` errors; the server has to be up.
   * Fails if there was another opening than the `openings` before.
   */
  async refused({ errors = 0, openings = 0 } = {}) {
    const what = `${this.version}, ${this.transport}: a refusal`
    if (stopsWhenRefused(this.version, this.transport)) {
      const ours = `unique_identifier=${encodeURIComponent(this.uid)}&`
      await uncaught.has(({ url, message }) => url.includes(ours) && message === "unhandled poll status 403", what)
    } else await this.events.until(() => this.errors > errors, what)
    if (this.openings !== openings) throw new Error(`${what} was wanted, but it opened`)
  }

  /** Begins anew where the client has stopped. `disconnect()` and `connect()` would not join the topics again. */
  reconnect() {
    if (staysAway(this.version, this.transport)) this.socket.disconnect(() => this.socket.connect())
    else this.socket.conn.close()
  }

  /** Number of errors so far. */
  get errors() {
    return this.#count("error")
  }

  /** Number of times it has opened so far. */
  get openings() {
    return this.#count("open")
  }

  #count(what) {
    return this.events.items.filter((event) => event === what).length
  }

  /** A channel on `lobby:<app_key>:<topic>`, not joined yet. */
  channel(topic, appKey = this.appKey) {
    return new ClientChannel(this, this.socket.channel(`lobby:${appKey}:${topic}`, {}))
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

  /** Pushes, and resolves with the server's answer; rejects with its error. */
  ask(event, payload) {
    return answerTo(this.push(event, payload))
  }

  /** Resolves when that many events were heard. */
  hearsInAll(count) {
    const what = `${this.client.version}, ${this.client.transport}: ${count} events`
    return this.heard.until((items) => items.length >= count, what)
  }

  /** Resolves when the client has joined the topic again by itself, after an interruption. */
  async rejoined() {
    const looks = new Inbox()
    const timer = setInterval(() => looks.put(this.channel.state), 20)
    const what = `${this.client.version}, ${this.client.transport}: joining again`
    await looks.has((state) => state === "joined", what).finally(() => clearInterval(timer))
  }

  /** Resolves when `event` was heard with this payload. */
  hears(event, payload) {
    const wanted = JSON.stringify([event, payload])
    const what = `${this.client.version}, ${this.client.transport}: ${wanted}`
    return this.heard.has((item) => JSON.stringify(item) === wanted, what)
  }

  /** Resolves when these users are present, each on that many devices. */
  sees(users) {
    const wanted = sorted(users)
    return this.presence.until((items) => items.at(-1) === wanted, `${this.client.version}, ${this.client.transport}: presence ${wanted}`)
  }

  #followPresence() {
    const { Presence } = this.client.phoenix
    if (typeof Presence !== "function") return this.#syncByHand(Presence)
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
