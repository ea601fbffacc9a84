// The proxies of deploy/ in front of a server that closes its sockets, and one that takes them: who is sent where.

import assert from "node:assert/strict"
import http from "node:http"
import https from "node:https"
import { after, before, describe, test } from "node:test"
import { setTimeout as pause } from "node:timers/promises"
import { PROXIES, missing, startProxy } from "../proxies/proxy.js"
import { leftOut } from "./servers.js"

/** Milliseconds; HAProxy and Caddy look once a second. */
const NOTICED_WITHIN = 10_000

/** Of a browser that HAProxy has sent to the first server before. */
const headers = { cookie: "pusher_lite_server=first" }

for (const name of PROXIES) {
  describe(`through ${name}`, { skip: leftOut(missing(name)) }, () => {
    let draining, next, proxy

    before(async () => {
      draining = await startAnswering(503)
      next = await startAnswering(200)
      proxy = await startProxy(name, [draining.address().port, next.address().port])
    })

    after(() => {
      proxy?.stop()
      for (const server of [draining, next]) server?.close().closeAllConnections()
    })

    test("a new WebSocket goes to the server that takes it", async () => {
      const deadline = Date.now() + NOTICED_WITHIN
      while ((await status(proxy, "/socket/websocket")) !== 200) {
        assert.ok(Date.now() < deadline, "it is refused all the time")
        await pause(50)
      }
    })

    // Caddy looks at a server's health, and not for whom it has a session.
    if (name !== "Caddy") {
      test("a poll is told that its session ends", async () => {
        assert.equal(await status(proxy, "/socket/longpoll"), 503)
      })
    }
  })
}

function startAnswering(code) {
  const server = http.createServer((_request, response) => response.writeHead(code).end())
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)))
}

function status({ url, ca }, path) {
  return new Promise((resolve, reject) => {
    const request = https.get(new URL(path, url), { ca, headers, family: 4, agent: false }, (answer) => {
      answer.resume()
      answer.on("end", () => resolve(answer.statusCode))
    })
    request.on("error", reject)
  })
}
