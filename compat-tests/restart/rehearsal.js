// A restart under load: many clients, events all the while, SIGTERM, and the same server again.

import { setTimeout as pause } from "node:timers/promises"
import { publish } from "../clients/rest.js"
import { install } from "../target/installation.js"
import { Crowd } from "./crowd.js"

/** Mostly today's phoenix.js over WebSocket, with others among them. */
const TRANSPORTS = [
  ...Array.from({ length: 16 }, () => ["1.8.16", "WebSocket"]),
  ["1.7.23", "WebSocket"],
  ["1.6.16", "WebSocket"],
  ["1.8.16", "long-polling"],
  ["1.7.23", "long-polling"],
]

const MEMBERS_PER_TOPIC = 50
const PUBLISH_EVERY = 20

/**
 * @param {{clients: number, processes: number, window: number}} how `window`: the server's drain window, in seconds
 * @returns {Promise<object>} seconds from SIGTERM to the end of the process, to the answers of the next one, and until
 *   everybody has joined again; what was published and how often that failed; what refused whom
 */
export async function rehearse({ clients, processes, window }) {
  const topics = Math.ceil(clients / MEMBERS_PER_TOPIC)
  const server = await install("sqlite", { PUSHER_LITE_DRAIN_WINDOW: String(window), PUSHER_LITE_LOG: "warn" })
  const crowd = new Crowd(server, { clients, processes, topics, transports: TRANSPORTS })
  try {
    await crowd.joined(120_000)
    await crowd.restarting(10_000)
    const load = new Load(server, topics)
    const since = stopwatch()
    const exitCode = await server.server.stop(1000 * (window + 20))
    const stopped = since()
    await server.server.start()
    const ready = since()
    await crowd.rejoined(120_000)
    const rejoined = since()
    const { published, failed } = await load.end()
    for (let topic = 0; topic < topics; topic += 1) await publish(server, "after", { topic: `restart ${topic}` })
    await crowd.heard(30_000)
    return { clients, window, exitCode, stopped, ready, rejoined, published, failed, refusals: crowd.refusals }
  } finally {
    crowd.end()
    await server.dispose()
  }
}

/** Publishes to one topic after the other until it is ended. */
class Load {
  published = 0
  /** Statuses of what was not published, with how often; 0 where there was no answer. */
  failed = {}
  #ended = false

  constructor(server, topics) {
    this.#running = this.#run(server, topics)
  }

  #running

  async end() {
    this.#ended = true
    await this.#running
    return this
  }

  async #run(server, topics) {
    for (let number = 0; !this.#ended; number += 1) {
      const status = (await publish(server, "news", { topic: `restart ${number % topics}`, number }).catch(() => 0)) ?? 0
      if (status === 204) this.published += 1
      else this.failed[status] = (this.failed[status] ?? 0) + 1
      await pause(PUBLISH_EVERY)
    }
  }
}

function stopwatch() {
  const began = performance.now()
  return () => Math.round((performance.now() - began) / 100) / 10
}
