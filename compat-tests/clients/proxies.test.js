// phoenix.js through the proxies of deploy/, over both transports, and from one server to the next without a way back.

import assert from "node:assert/strict"
import http from "node:http"
import http2 from "node:http2"
import https from "node:https"
import { createRequire } from "node:module"
import { after, before, describe, test } from "node:test"
import { setTimeout as pause } from "node:timers/promises"
import WebSocket from "ws"
import { PROXIES, missing, startProxy } from "../proxies/proxy.js"
import { freePort } from "../target/free-port.js"
import { startServer } from "../target/server-process.js"
import { PhoenixClient, SAMPLED_VERSIONS, TRANSPORTS } from "./phoenix-client.js"
import { publish } from "./rest.js"
import { leftOut, serversUnderTest } from "./servers.js"

const { XMLHttpRequest } = createRequire(import.meta.url)("xhr2")

/** Milliseconds. */
const LOGGED_WITHIN = 10_000

/** Not the proxy's own address, which is trusted. */
const CLIENT = "127.0.0.2"

const [{ restarts, start }] = await serversUnderTest(["sqlite"])

const SETTINGS = { PUSHER_LITE_TRUSTED_PROXIES: "127.0.0.1", PUSHER_LITE_SHUTDOWN_DELAY: "3" }

/** A browser that trusts this certificate. */
function trusting(ca) {
  XMLHttpRequest.nodejsSet({ httpsAgent: new https.Agent({ ca, keepAlive: true }) })
  return class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { ca })
    }
  }
}

for (const name of PROXIES) {
  const reason = restarts ? missing(name) : "needs a server of its own"
  describe(`through ${name}`, { skip: leftOut(reason) }, () => {
    let server, proxy, next, TrustingWebSocket
    const channels = []

    before(async () => {
      assert.equal(missing(name), undefined)
      server = await start(SETTINGS)
      next = await freePort()
      proxy = await startProxy(name, [server.address.port, next])
      TrustingWebSocket = trusting(proxy.ca)
    })

    after(async () => {
      for (const { client } of channels) client.disconnect()
      await server?.dispose()
      next?.stop?.()
      proxy?.stop()
    })

    function connect(version, transport) {
      const options = transport === "WebSocket" ? { transport: TrustingWebSocket } : {}
      const uid = `${version} over ${transport}`
      const client = new PhoenixClient(version, { ...server, url: proxy.url }, { uid }, { transport, options })
      return client.connect().channel("proxied").on("message").on("news")
    }

    async function allHear(event, payload) {
      for (const channel of channels) await channel.hears(event, payload)
    }

    test("every client joins, sends and hears", async () => {
      for (const version of SAMPLED_VERSIONS) for (const transport of TRANSPORTS) channels.push(connect(version, transport))
      await Promise.all(channels.map((channel) => channel.join()))
      channels[0].push("message", { text: "hello ☃" })
      channels[1].push("message", { text: "and back" })
      await allHear("message", { text: "hello ☃" })
      await allHear("message", { text: "and back" })
      assert.equal(await publish(server, "news", { topic: "proxied", n: 1 }), 204)
      await allHear("news", { n: 1 })
    })

    test("pages come by HTTP/2, and show how they were asked for", async () => {
      const page = await getByHttp2(proxy, "/")
      assert.equal(page.status, 200)
      assert.ok(page.text.includes(proxy.url.replaceAll("/", "&#x2f;")), page.text)
      assert.match(page.headers["strict-transport-security"], /max-age=\d+/)
      assert.match(page.headers["x-request-id"], /.{20,}/)
    })

    test("the server knows the client's address, whatever the client says of it", async () => {
      const url = new URL("/health/live", proxy.url)
      const headers = { "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example" }
      const answer = await get(https, url, { ca: proxy.ca, localAddress: CLIENT, headers, family: 4 })
      assert.equal(answer.status, 200)
      await logged(server.server, `client=${CLIENT}`)
      assert.ok(!server.server.log.includes("6.6.6.6"), "an address that the client made up")
    })

    test("plain requests are sent on to https, and queries stay out of the proxy's log", async () => {
      const url = new URL(`http://localhost:${proxy.plainPort}/demo?secret=x`)
      const answer = await get(http, url, { family: 4 })
      assert.equal(answer.status, 308)
      assert.match(answer.headers.location, /^https:\/\/localhost.*\/demo\?secret=x$/)
      await get(https, new URL("/health/live?secret=hunter2", proxy.url), { ca: proxy.ca, family: 4 })
      await logged(proxy, "/health/live")
      assert.ok(!proxy.log.includes("hunter2") && !proxy.log.includes("guardian_token"), proxy.log)
    })

    test("when the server is relieved by another one, every client comes along", async () => {
      const { settings, folder } = server.server
      next = await startServer(settings, { folder, port: next })
      const openings = channels.map(({ client }) => client.openings)
      assert.equal(await server.server.stop(), 0)
      await Promise.all(channels.map(({ client }, at) => client.opened(openings[at] + 1)))
      await Promise.all(channels.map((channel) => channel.rejoined()))
      channels[0].push("message", { after: "relief" })
      await allHear("message", { after: "relief" })
      const relieved = { ...server, address: next.address }
      assert.equal(await publish(relieved, "news", { topic: "proxied", n: 2 }), 204)
      await allHear("news", { n: 2 })
    })
  })
}

/** Resolves when a log, which comes by a pipe or a file, holds this text. */
async function logged(source, text) {
  const deadline = Date.now() + LOGGED_WITHIN
  while (!source.log.includes(text)) {
    assert.ok(Date.now() < deadline, `${text} is not in the log: ${source.log}`)
    await pause(20)
  }
}

function get(protocol, url, options) {
  return new Promise((resolve, reject) => {
    const request = protocol.get(url, options, (answer) => {
      answer.resume()
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers }))
    })
    request.on("error", reject)
  })
}

function getByHttp2({ url, ca }, path) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url, { ca })
    session.on("error", reject)
    const request = session.request({ ":path": path })
    let headers
    let text = ""
    request.on("response", (found) => (headers = found))
    request.setEncoding("utf8").on("data", (part) => (text += part))
    request.on("end", () => {
      session.close()
      resolve({ status: headers[":status"], headers, text })
    })
    request.end()
  })
}
