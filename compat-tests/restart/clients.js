// Runs in a process of its own: many phoenix.js clients, with the timers that phoenix.js has by itself. Tells its parent
// how many have joined, and what they were told.

import { PhoenixClient } from "../clients/phoenix-client.js"

/** Options with which a client uses its own defaults instead of the short times of tests. */
const DEFAULTS = { reconnectAfterMs: undefined, rejoinAfterMs: undefined, heartbeatIntervalMs: undefined, timeout: undefined }

/** Number of clients that connect at the same time: a browser does not open a thousand sockets together either. */
const CONNECTING = 50

/** Words of refusal. 503 is none: it is what says "later". */
const REFUSALS = /\b40[0-9]\b|unauthorized|forbidden/

const TELL_EVERY = 100

class Crowd {
  refusals = []
  #joined = new Set()
  #isRestarting = false
  /** Those whose connection has ended since the restart began, and those of them who have joined again. */
  #away = new Set()
  #rejoined = new Set()
  #heard = new Set()

  constructor({ url, jwt, appKey, first, count, topics, transports }) {
    const credentials = new Map([
      ["jwt.admin", jwt],
      ["app1.app_key", appKey],
    ])
    this.clients = Array.from({ length: count }, (_, at) => {
      const number = first + at
      const [version, transport] = transports[number % transports.length]
      const how = { transport, options: DEFAULTS }
      const client = new PhoenixClient(version, { url, credentials }, { uid: `user ${number}` }, how)
      client.socket.onError((error) => this.#error(error))
      client.socket.onClose(() => this.#isRestarting && this.#away.add(client.uid))
      return { client, topic: `restart ${number % topics}` }
    })
  }

  async connect() {
    const waiting = [...this.clients]
    const next = async () => {
      for (let one = waiting.pop(); one; one = waiting.pop()) await this.#join(one)
    }
    await Promise.all(Array.from({ length: CONNECTING }, next))
  }

  /** From now on it counts who comes back. */
  restarting() {
    this.#isRestarting = true
  }

  /** Numbers of clients that have joined, have joined again, and have received the last event. */
  get state() {
    return {
      joined: this.#joined.size,
      prepared: this.#isRestarting ? this.clients.length : 0,
      rejoined: this.#rejoined.size,
      heard: this.#heard.size,
      deaf: this.#deaf(),
      refusals: this.refusals.slice(0, 20),
    }
  }

  /** Some of those who have not heard what others have. */
  #deaf() {
    if (this.#heard.size === 0) return []
    const deaf = this.clients.filter(({ client }) => !this.#heard.has(client.uid)).slice(0, 5)
    return deaf.map(({ client, channel }) => {
      const { uid, version, transport } = client
      return `${uid}, ${version} over ${transport}: ${channel.state}`
    })
  }

  disconnect() {
    for (const { client } of this.clients) client.disconnect()
  }

  #join(one) {
    const { client, topic } = one
    // Not a channel of the tests': those write down who is present at each change, which would be a third of all that is done here.
    const channel = client.connect().socket.channel(`lobby:${client.appKey}:${topic}`, {})
    one.channel = channel
    channel.on("after", () => this.#heard.add(client.uid))
    return new Promise((resolve) => {
      channel
        .join()
        .receive("ok", () => {
          this.#joined.add(client.uid)
          if (this.#away.has(client.uid)) this.#rejoined.add(client.uid)
          resolve()
        })
        .receive("error", (reason) => this.refusals.push(`join: ${JSON.stringify(reason)}`))
    })
  }

  #error(error) {
    const text = String(error?.message ?? error)
    if (REFUSALS.test(text)) this.refusals.push(text)
  }
}

process.once("message", async (wanted) => {
  const crowd = new Crowd(wanted)
  const timer = setInterval(() => process.send(crowd.state), TELL_EVERY)
  process.on("message", (message) => {
    if (message === "restarting") return crowd.restarting()
    clearInterval(timer)
    crowd.disconnect()
    process.disconnect()
    process.exit(0)
  })
  await crowd.connect()
})
process.once("disconnect", () => process.exit(0))
