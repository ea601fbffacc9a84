// The real phoenix.js of 2016, 2021 and today, over WebSocket.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { fixture } from "../target/settings.js"
import { answerTo, PhoenixClient, Refusal, SAMPLED_VERSIONS } from "./phoenix-client.js"
import { publish } from "./rest.js"
import { leftOut, serversUnderTest } from "./servers.js"

for (const { name, missing, restarts, start } of await serversUnderTest()) {
  describe(`phoenix.js on ${name}`, { skip: leftOut(missing) }, () => {
    let server
    const clients = []

    before(async () => {
      server = await start()
    })

    after(async () => {
      for (const client of clients) client.disconnect()
      await server?.dispose()
    })

    function client(version, who) {
      const made = new PhoenixClient(version, server, who)
      clients.push(made)
      return made
    }

    async function joined(version, topic, who, ...events) {
      const channel = client(version, who).connect().channel(topic)
      for (const event of events) channel.on(event)
      await channel.join()
      return channel
    }

    for (const version of SAMPLED_VERSIONS) {
      describe(version, () => {
        const topic = (what) => `clients-${version}-${what}`

        test("connects, joins and hears its own push", async () => {
          const channel = await joined(version, topic("own"), { uid: "alice" }, "message")
          channel.push("message", { text: "hello" })
          await channel.hears("message", { text: "hello" })
        })

        test("hears what REST publishes", async () => {
          const channel = await joined(version, topic("rest"), { uid: "alice" }, "news")
          assert.equal(await publish(server, "news", { topic: topic("rest"), n: [1, null] }), 204)
          await channel.hears("news", { n: [1, null] })
        })

        test("is not let in with a JWT that is none", async () => {
          const refused = client(version, { uid: "eve", jwt: "no.jwt.atall" }).connect()
          await refused.refused()
          refused.disconnect()
        })

        test("is refused the topics of another application", async () => {
          const foreign = server.credentials.get("app2.app_key")
          const channel = client(version, { uid: "alice" }).connect().channel("x", foreign)
          await assert.rejects(channel.join(), (error) => {
            assert.ok(error instanceof Refusal, error.message)
            assert.deepEqual(error.response, { reason: "unauthorized" })
            return true
          })
          channel.client.disconnect()
        })

        test("is told that it may not send", async () => {
          const jwt = server.credentials.get("jwt.joinonly")
          const channel = await joined(version, topic("mute"), { uid: "mute", jwt })
          await assert.rejects(answerTo(channel.push("message", {})), { response: { reason: "forbidden" } })
        })

        test("gets no reply from another client, neither by a push nor by REST", async () => {
          const [victim, forger] = await Promise.all(
            ["victim", "forger"].map((uid) => joined(version, topic("forged"), { uid }, "message")),
          )
          const replies = []
          const push = victim.push("message", { n: 1 })
          for (const status of ["ok", "error"]) push.receive(status, (response) => replies.push(response))
          for (let ref = 1; ref < 10; ref++) {
            const forged = forger.push(`chan_reply_${ref}`, { status: "ok", response: { forged: ref } })
            await assert.rejects(answerTo(forged), { response: { reason: "reserved event" } })
          }
          const published = { topic: topic("forged"), status: "ok", response: {} }
          assert.equal(await publish(server, "chan_reply_2", published), 422)
          forger.push("message", { n: 2 })
          await victim.hears("message", { n: 2 })
          assert.deepEqual(replies, [])
        })

        test("leaves and joins again", async () => {
          const watcher = await joined(version, topic("leave"), { uid: "watcher" })
          const leaver = await joined(version, topic("leave"), { uid: "leaver" }, "message")
          await watcher.sees({ watcher: 1, leaver: 1 })
          await leaver.leave()
          await watcher.sees({ watcher: 1 })
          const again = leaver.client.channel(topic("leave")).on("message")
          await again.join()
          await watcher.sees({ watcher: 1, leaver: 1 })
          watcher.push("message", { n: 2 })
          await again.hears("message", { n: 2 })
          assert.deepEqual(leaver.heard.items, [])
        })

        test(
          "reconnects and joins again after a restart",
          { skip: restarts ? false : "needs a server of its own" },
          async () => {
            const channel = await joined(version, topic("restart"), { uid: "alice" }, "message")
            await server.server.restart()
            await channel.client.opened(2)
            await channel.rejoined()
            channel.push("message", { after: "restart" })
            await channel.hears("message", { after: "restart" })
          },
        )
      })
    }

    test("all versions hear each other", async () => {
      const channels = await Promise.all(
        SAMPLED_VERSIONS.map((version) => joined(version, "clients-all", { uid: version }, "message")),
      )
      for (const channel of channels) channel.push("message", { from: channel.client.version })
      for (const channel of channels) {
        for (const from of SAMPLED_VERSIONS) await channel.hears("message", { from })
        assert.equal(channel.heard.items.length, SAMPLED_VERSIONS.length)
      }
    })

    test("all versions see the same users, on one device or two", async () => {
      const [first, second, bob] = await Promise.all(
        ["1.2.1", "1.8.16", "1.5.14"].map((version, index) =>
          joined(version, "clients-presence", { uid: ["alice", "alice", "bob"][index] }),
        ),
      )
      for (const channel of [first, second, bob]) await channel.sees({ alice: 2, bob: 1 })
      await first.leave()
      for (const channel of [second, bob]) await channel.sees({ alice: 1, bob: 1 })
      second.client.disconnect()
      await bob.sees({ bob: 1 })
      assert.equal(fixture("creds.json").apps.app1.app_key, bob.client.appKey)
    })

    test("a crowd that comes and goes at once is seen the same by all", async () => {
      const uids = Array.from({ length: 90 }, (_, number) => `crowd${number % 60}`)
      const channels = await Promise.all(
        uids.map((uid, number) => joined(SAMPLED_VERSIONS[number % SAMPLED_VERSIONS.length], "clients-crowd", { uid })),
      )
      // The second devices of some, and the only ones of others.
      await Promise.all(channels.slice(45, 75).map((channel) => channel.leave()))
      const staying = [...channels.slice(0, 45), ...channels.slice(75)]
      const seen = {}
      for (const { client } of staying) seen[client.uid] = (seen[client.uid] ?? 0) + 1
      await Promise.all(staying.map((channel) => channel.sees(seen)))
    })

    test("REST throws a user out, and the others see them leave", async () => {
      const [bob, victim] = await Promise.all(
        ["1.8.16", "1.2.1"].map((version, index) => joined(version, "clients-kick", { uid: ["bob", "victim"][index] })),
      )
      await bob.sees({ bob: 1, victim: 1 })
      assert.equal(await publish(server, "disconnect", { topic: "victim" }), 204)
      await victim.client.events.has((event) => event === "close", "the close")
      await bob.sees({ bob: 1 })
    })
  })
}
