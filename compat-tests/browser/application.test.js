// A page with just the script tag, on another origin, in a real browser.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { publish } from "../clients/rest.js"
import { serversUnderTest } from "../clients/servers.js"
import { browserLeftOut, launchBrowser, openWindow } from "./chromium.js"
import { servePage } from "./page-server.js"

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
  async function user(uniqueUserId, topic, options = { host: host(), ssl: false }) {
    const window = await openWindow(browser)
    await window.page.goto(pages.url)
    const jwt = server.credentials.get("jwt.admin")
    const all = { jwt, uniqueUserId, ...options }
    const appKey = server.credentials.get("app1.app_key")
    await window.page.evaluate(([key, given, name]) => startApplication(key, given, name), [appKey, all, topic])
    return window
  }

  async function happens({ page }, what, times = 1) {
    const enough = ([text, count]) => window.happened.filter((item) => item === text).length >= count
    await page.waitForFunction(enough, [what, times]).catch(async (error) => {
      const happened = await page.evaluate(() => window.happened)
      throw new Error(`"${what}" did not happen ${times} times, but ${JSON.stringify(happened)}`, { cause: error })
    })
  }

  test("two users connect, join, and see each other come and go", async () => {
    const alice = await user("alice", "browser-presence")
    await happens(alice, "connected")
    await happens(alice, "joined")
    const bob = await user("bob", "browser-presence")
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
    const alice = await user("alice", "browser-news")
    const bob = await user("bob", "browser-news")
    await happens(alice, "joined")
    await happens(bob, "joined")
    await alice.page.evaluate(() => channel.trigger("news", { from: "alice ☃" }))
    for (const window of [alice, bob]) await happens(window, 'news {"from":"alice ☃"}')
    assert.equal(await publish(server, "news", { topic: "browser-news", from: "backend" }), 204)
    for (const window of [alice, bob]) await happens(window, 'news {"from":"backend"}')
    assert.deepEqual([...alice.complaints, ...bob.complaints], [])
  })

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
    const alice = await user("alice", "browser-default-host", {})
    await happens(alice, "joined")
  })

  test("phoenix.js of the bundle works by itself", async () => {
    const alice = await user("alice", "browser-phoenix")
    const params = {
      app_key: server.credentials.get("app1.app_key"),
      guardian_token: server.credentials.get("jwt.admin"),
    }
    const all = { ...params, unique_identifier: "raw" }
    await alice.page.evaluate(
      ([url, given]) => startPhoenix(url, given, "browser-phoenix"),
      [`ws://${host()}/socket`, all],
    )
    await happens(alice, "phoenix joined")
    await happens(alice, "joined")
    await alice.page.evaluate(() => channel.trigger("news", { n: 1 }))
    await happens(alice, 'phoenix news {"n":1}')
  })

  test("a refused connection is told", async () => {
    const eve = await user("eve", "browser-refused", { jwt: "no.jwt.atall", host: host(), ssl: false })
    await happens(eve, "connection failed")
    assert.ok(!(await eve.page.evaluate(() => window.happened)).includes("connected"))
  })

  test("a restart of the server is survived", { skip: restarts ? false : "needs a server of its own" }, async () => {
    const alice = await user("alice", "browser-restart")
    await happens(alice, "joined")
    await server.server.restart()
    await happens(alice, "connected", 2)
    await happens(alice, "joined", 2)
    assert.equal(await publish(server, "news", { topic: "browser-restart", n: 2 }), 204)
    await happens(alice, 'news {"n":2}')
  })
})
