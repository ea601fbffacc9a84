// Many pushes at once over long-polling, which phoenix.js from 1.7 on sends in one request, before 1.8.6 without a limit.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { BATCHING_VERSIONS, PhoenixClient } from "./phoenix-client.js"
import { leftOut, serversUnderTest } from "./servers.js"

const PUSHES = 300

const [{ name, missing, start }] = await serversUnderTest(["sqlite"])

describe(`batches on ${name}`, { skip: leftOut(missing) }, () => {
  let server
  const clients = []

  before(async () => {
    server = await start()
  })

  after(async () => {
    for (const client of clients) client.disconnect()
    await server?.dispose()
  })

  async function joined(version, topic, uid, transport) {
    const client = new PhoenixClient(version, server, { uid }, { transport })
    clients.push(client)
    const channel = client.connect().channel(topic).on("message")
    await channel.join()
    return channel
  }

  for (const version of BATCHING_VERSIONS) {
    test(`${version}: ${PUSHES} pushes at once arrive, in order`, async () => {
      const topic = `batches ${version}`
      const sender = await joined(version, topic, "sender", "long-polling")
      const receiver = await joined("1.8.16", topic, "receiver", "WebSocket")
      const numbers = Array.from({ length: PUSHES }, (_, number) => number)
      for (const number of numbers) sender.push("message", { number })
      for (const channel of [receiver, sender]) {
        await channel.hearsInAll(PUSHES)
        assert.deepEqual(
          channel.heard.items.map(([, { number }]) => number),
          numbers,
        )
      }
      assert.deepEqual(sender.client.events.items, ["open"], "the connection has to live on")
    })
  }
})
