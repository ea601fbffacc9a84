// phoenix.js with `longPollFallbackMs`, where WebSockets are blocked and where they are not.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { startBlockingProxy } from "./blocking-proxy.js"
import { PhoenixClient } from "./phoenix-client.js"
import { publish } from "./rest.js"
import { leftOut, serversUnderTest } from "./servers.js"

/** Those that can fall back. */
const VERSIONS = ["1.7.23", "1.8.16"]

/** Milliseconds; long, so that only a refused WebSocket makes a client fall back and never a busy machine. */
const FALLS_BACK_AFTER = 20_000

const [{ restarts, start }] = await serversUnderTest(["sqlite"])

/** A browser tab's. */
class SessionStorage {
  #items = new Map()
  getItem = (key) => this.#items.get(key) ?? null
  setItem = (key, value) => void this.#items.set(key, String(value))
}

describe("fallback", { skip: leftOut(restarts ? undefined : "needs a server of its own") }, () => {
  let server, proxy
  const clients = []

  before(async () => {
    server = await start()
    proxy = await startBlockingProxy(server.address)
  })

  after(async () => {
    for (const client of clients) client.disconnect()
    proxy?.close()
    await server?.dispose()
  })

  function connect(version, url, sessionStorage) {
    const options = { longPollFallbackMs: FALLS_BACK_AFTER, sessionStorage }
    const client = new PhoenixClient(version, { ...server, url }, { uid: `alice ${version}` }, { options })
    clients.push(client)
    return client.connect()
  }

  async function isHeard(channel, payload) {
    channel.push("message", payload)
    await channel.hears("message", payload)
  }

  const isLongPolling = ({ socket, phoenix }) => socket.transport === phoenix.LongPoll

  for (const version of VERSIONS) {
    test(`${version} long-polls where WebSockets are blocked, remembers it, and survives a restart`, async () => {
      const storage = new SessionStorage()
      const before = proxy.refusedUpgrades()
      const channel = connect(version, proxy.url, storage).channel(`fallback ${version}`).on("message").on("news")
      await channel.join()
      assert.ok(isLongPolling(channel.client))
      const refused = proxy.refusedUpgrades()
      assert.ok(refused > before, "WebSocket is tried first")
      await isHeard(channel, { n: 1 })

      const another = connect(version, proxy.url, storage)
      await another.opened()
      assert.ok(isLongPolling(another))
      assert.equal(proxy.refusedUpgrades(), refused, "WebSocket is not tried again in the same tab")

      const openings = channel.client.openings
      await server.server.restart()
      await channel.client.opened(openings + 1)
      await channel.rejoined()
      await isHeard(channel, { n: 2 })
      assert.equal(await publish(server, "news", { topic: `fallback ${version}`, n: 3 }), 204)
      await channel.hears("news", { n: 3 })
    })

    test(`${version} stays with WebSocket where it works`, async () => {
      const client = connect(version, server.url, new SessionStorage())
      const channel = client.channel(`no fallback ${version}`).on("message")
      await channel.join()
      await isHeard(channel, { n: 1 })
      assert.ok(!isLongPolling(client))
    })
  }
})
