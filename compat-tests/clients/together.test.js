// Clients of both protocol versions and both transports in one topic.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { PhoenixClient, SAMPLED_VERSIONS, TRANSPORTS } from "./phoenix-client.js"
import { publish } from "./rest.js"
import { leftOut, serversUnderTest } from "./servers.js"

const KINDS = SAMPLED_VERSIONS.flatMap((version) => TRANSPORTS.map((transport) => ({ version, transport })))

/** Events that each client sends, without waiting for anything in between. */
const EVENTS_EACH = 20

for (const { name, missing, start } of await serversUnderTest()) {
  describe(`together on ${name}`, { skip: leftOut(missing) }, () => {
    let server
    const clients = []

    before(async () => {
      server = await start()
    })

    after(async () => {
      for (const client of clients) client.disconnect()
      await server?.dispose()
    })

    async function joined(topic, { version, transport }, uid = `${version} ${transport}`) {
      const client = new PhoenixClient(version, server, { uid }, { transport })
      clients.push(client)
      const channel = client.connect().channel(topic).on("message").on("binary")
      await channel.join()
      return channel
    }

    test("all hear the same events in the same order", async () => {
      const channels = await Promise.all(KINDS.map((kind) => joined("order", kind)))
      for (let n = 0; n < EVENTS_EACH; n++) {
        for (const channel of channels) channel.push("message", { from: channel.client.uid, n })
        await publish(server, "message", { topic: "order", from: "REST", n })
      }
      const total = EVENTS_EACH * (channels.length + 1)
      await Promise.all(channels.map((channel) => channel.hearsInAll(total)))
      const [first, ...others] = channels.map(({ heard }) => heard.items)
      for (const heard of others) assert.deepEqual(heard, first)
      assert.equal(new Set(first.map((item) => JSON.stringify(item))).size, total)
      for (const from of [...inOrderSenders(channels), "REST"]) {
        const order = first.filter(([, payload]) => payload.from === from).map(([, { n }]) => n)
        assert.deepEqual(order, [...order.keys()], `the events of ${from}`)
      }
    })

    test("all see the same users, on as many devices as they have", async () => {
      const names = ["alice", "bob"]
      const channels = await Promise.all(KINDS.map((kind, index) => joined("people", kind, names[index % 2])))
      const half = KINDS.length / 2
      for (const channel of channels) await channel.sees({ alice: half, bob: half })
      await channels[0].leave()
      await channels[1].leave()
      for (const channel of channels.slice(2)) await channel.sees({ alice: half - 1, bob: half - 1 })
    })

    test("a binary push passes by those who cannot take it", async () => {
      const websocket = { version: "1.8.16", transport: "WebSocket" }
      const sender = await joined("binary", websocket, "sender")
      const receiver = await joined("binary", websocket, "receiver")
      const others = await Promise.all(
        KINDS.filter(({ version, transport }) => version === "1.2.1" || transport === "long-polling").map((kind) =>
          joined("binary", kind),
        ),
      )
      const bytes = Uint8Array.from([0, 1, 127, 128, 255])
      sender.push("binary", bytes.buffer)
      for (const channel of [sender, receiver]) {
        const [, heard] = await channel.heard.has(([event]) => event === "binary", "the binary push")
        assert.deepEqual(new Uint8Array(heard), bytes)
      }
      sender.push("message", { after: "binary" })
      for (const channel of others) {
        await channel.hears("message", { after: "binary" })
        assert.deepEqual(channel.heard.items, [["message", { after: "binary" }]])
        assert.deepEqual(channel.client.events.items, ["open"], "its connection lives on")
      }
    })

    test("a binary push over long-polling reaches those on WebSockets", async () => {
      const sender = await joined("binary-longpoll", { version: "1.8.16", transport: "long-polling" }, "sender")
      const receiver = await joined("binary-longpoll", { version: "1.5.14", transport: "WebSocket" }, "receiver")
      sender.push("binary", Uint8Array.from([200, 201]).buffer)
      const [, heard] = await receiver.heard.has(([event]) => event === "binary", "the binary push")
      assert.deepEqual(new Uint8Array(heard), Uint8Array.from([200, 201]))
    })
  })

  /** Long-polling before 1.7 sends each message with a request of its own, and these may overtake each other. */
  function inOrderSenders(channels) {
    const mayOvertake = ({ client }) => client.transport === "long-polling" && client.version !== "1.8.16"
    return channels.filter((channel) => !mayOvertake(channel)).map(({ client }) => client.uid)
  }
}
