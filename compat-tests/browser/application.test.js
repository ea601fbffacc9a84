// A page with just the script tag, on another origin, in a real browser.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { TRANSPORTS } from "../clients/phoenix-client.js"
import { publish } from "../clients/rest.js"
import { serversUnderTest } from "../clients/servers.js"
import { browserLeftOut, launchBrowser, openWindow } from "./chromium.js"
import { servePage } from "./page-server.js"

/** Milliseconds. A long-poll session of a page that is closed ends within 30 seconds, not at once. */
const HAPPENS_WITHIN = 60_000

const [{ restarts, start }] = await serversUnderTest(["sqlite"])

describe("/js/pusher.js in a page of another origin", { skip: browserLeftOut() }, () => {
  let server, pages, browser

  before(async () => {
    server = await start()
    pages = await servePage(server.url)
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    pages?.close()
    await server?.dispose()
  })

  const host = () => server.url.replace("http://", "")

  /** Opens a window and starts the application in it. */
  async function user(uniqueUserId, topic, options = {}, place = { host: host(), ssl: false }) {
    const window = await openWindow(browser)
    await window.page.goto(pages.url)
    const jwt = server.credentials.get("jwt.admin")
    const all = { jwt, uniqueUserId, ...place, ...options }
    const appKey = server.credentials.get("app1.app_key")
    await window.page.evaluate(([key, given, name]) => startApplication(key, given, name), [appKey, all, topic])
    return window
  }

  /** Of all requests and WebSockets of a page from now on. */
  function urlsOf(page) {
    const urls = []
    for (const event of ["request", "websocket"]) page.on(event, (each) => urls.push(each.url()))
    return urls
  }

  async function happens({ page }, what, times = 1) {
    const enough = ([text, count]) => window.happened.filter((item) => item === text).length >= count
    await page.waitForFunction(enough, [what, times], { timeout: HAPPENS_WITHIN }).catch(async (error) => {
      const happened = await page.evaluate(() => window.happened)
      throw new Error(`"${what}" did not happen ${times} times, but ${JSON.stringify(happened)}`, { cause: error })
    })
  }

  for (const transport of TRANSPORTS) {
    describe(`over ${transport}`, () => {
      const given = { transport }
      const topic = (what) => `browser-${transport}-${what}`

      test("two users connect, join, and see each other come and go", async () => {
        const alice = await user("alice", topic("presence"), given)
        await happens(alice, "connected")
        await happens(alice, "joined")
        const bob = await user("bob", topic("presence"), given)
        await happens(alice, "came bob")
        await happens(bob, "came alice")
        const present = await alice.page.waitForFunction(() => {
          const ids = Object.keys(channel.getPresence()).sort()
          return ids.length === 2 && ids.join()
        })
        assert.equal(await present.jsonValue(), "alice,bob")
        await bob.page.close()
        await happens(alice, "went bob")
        assert.deepEqual(alice.complaints, [])
      })

      test("what one user sends and what REST publishes arrives at all", async () => {
        const alice = await user("alice", topic("news"), given)
        const bob = await user("bob", topic("news"), given)
        await happens(alice, "joined")
        await happens(bob, "joined")
        await alice.page.evaluate(() => channel.trigger("news", { from: "alice ☃" }))
        for (const window of [alice, bob]) await happens(window, 'news {"from":"alice ☃"}')
        assert.equal(await publish(server, "news", { topic: topic("news"), from: "backend" }), 204)
        for (const window of [alice, bob]) await happens(window, 'news {"from":"backend"}')
        assert.deepEqual([...alice.complaints, ...bob.complaints], [])
      })

      test("phoenix.js of the bundle works by itself, with the JWT in the parameters and as authToken", async () => {
        const jwt = server.credentials.get("jwt.admin")
        const params = { app_key: server.credentials.get("app1.app_key"), unique_identifier: "raw" }
        const ways = {
          parameter: { transport, params: { ...params, guardian_token: jwt } },
          authToken: { transport, params, authToken: jwt },
        }
        for (const [way, options] of Object.entries(ways)) {
          const alice = await user("alice", topic(way), given)
          const { page } = alice
          const socketUrls = urlsOf(page)
          await page.evaluate(
            ([url, all, name]) => startPhoenix(url, all, name),
            [`ws://${host()}/socket`, options, topic(way)],
          )
          await happens(alice, "phoenix joined")
          await happens(alice, "joined")
          await page.evaluate(() => channel.trigger("news", { n: 1 }))
          await happens(alice, 'phoenix news {"n":1}')
          const ours = socketUrls.filter((url) => url.includes("unique_identifier=raw"))
          const path = transport === "WebSocket" ? "/socket/websocket?" : "/socket/longpoll?"
          assert.ok(ours.length > 0 && ours.every((url) => url.includes(path)), ours.join())
          assert.equal(ours.some((url) => url.includes(jwt)), way === "parameter")
          assert.deepEqual(alice.complaints, [])
        }
      })

      test("a refused connection is told, and once why", async () => {
        const eve = await user("eve", topic("refused"), { ...given, jwt: "no.jwt.atall" })
        const isReason = (line) => /^pusher_lite: the socket was refused: .+\. .+\.$/.test(line)
        while (!eve.complaints.some(isReason)) await eve.page.waitForEvent("console", { timeout: HAPPENS_WITHIN })
        await happens(eve, "connection failed", 5)
        assert.equal(eve.complaints.filter(isReason).length, 1)
        assert.ok(!(await eve.page.evaluate(() => window.happened)).includes("connected"))
      })

      test("a restart of the server is survived", { skip: restarts ? false : "needs a server of its own" }, async () => {
        const alice = await user("alice", topic("restart"), given)
        await happens(alice, "joined")
        await server.server.restart()
        await happens(alice, "connected", 2)
        await happens(alice, "joined", 2)
        assert.equal(await publish(server, "news", { topic: topic("restart"), n: 2 }), 204)
        await happens(alice, 'news {"n":2}')
      })
    })
  }

  test("the interface of the original's client is there", async () => {
    const alice = await user("alice", "browser-interface")
    await happens(alice, "joined")
    const seen = await alice.page.evaluate(() => ({
      topic: channel.getTopic(),
      channels: Object.keys(pusher.channels),
      same: pusher.channels["browser-interface"] === channel,
    }))
    const topic = `lobby:${server.credentials.get("app1.app_key")}:browser-interface`
    assert.ok([topic, "browser-interface"].includes(seen.topic), seen.topic)
    assert.deepEqual(seen.channels, ["browser-interface"])
    assert.ok(seen.same)
  })

  test("without a host it connects to where the script came from", async () => {
    const alice = await user("alice", "browser-default-host", {}, {})
    await happens(alice, "joined")
  })
})
