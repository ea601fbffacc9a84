// `node bench/tls.js`: what a joined idle WebSocket takes of memory, plain and over TLS, at the server.

import fs from "node:fs"
import os from "node:os"
import path from "node:path"
import { parseArgs } from "node:util"
import { setTimeout as sleep } from "node:timers/promises"
import { makeCertificate } from "../compat-tests/proxies/certificate.js"
import { freePort, startOurs } from "./servers.js"
import { readSizes } from "./soak/sizes.js"
import { SocketClient } from "./soak/socket.js"

const { values } = parseArgs({
  options: { sockets: { type: "string", default: "5000" }, rounds: { type: "string", default: "3" } },
})
const [sockets, rounds] = [Number(values.sockets), Number(values.rounds)]

/** Those who come before it is measured: what the server takes for itself when it begins to work is not theirs. */
const FIRST = 1_000
/** Handshakes under way at the same time. */
const CONNECTING = 50
const MEMBERS_PER_TOPIC = 10
/** After which what the handshakes took has gone back to the system, in milliseconds. */
const SETTLED_AFTER = 3_000

// The benchmark trusts a certificate that was made a moment ago.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"
process.removeAllListeners("warning")
const binary = process.env.PUSHER_LITE_BIN ?? path.join(import.meta.dirname, "../target/release/pusher-lite")
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pusher-lite-tls-"))
const { certificate, key } = makeCertificate(folder)
const TLS = { PUSHER_LITE_TLS_CERTIFICATE: certificate, PUSHER_LITE_TLS_KEY: key }
for (let round = 1; round <= rounds; round++) {
  const [plain, tls] = [await perSocket({}), await perSocket(TLS)]
  console.log(`round ${round}, ${sockets} sockets: ${plain} bytes each, ${tls} over TLS`)
}
fs.rmSync(folder, { recursive: true })

async function perSocket(settings) {
  const metricsPort = await freePort()
  const server = await startOurs(binary, [], { ...settings, PUSHER_LITE_METRICS_LISTEN: `127.0.0.1:${metricsPort}` })
  const memory = async () => (await readSizes(`http://127.0.0.1:${metricsPort}/metrics`))["memory, MB"] * 2 ** 20
  const place = { http: server.http, params: { app_key: server.appKey, guardian_token: server.jwt } }
  const clients = []
  const memoryOf = async (count) => {
    await connect(clients, count, place, server.appKey)
    await sleep(SETTLED_AFTER)
    return memory()
  }
  const before = await memoryOf(FIRST)
  const after = await memoryOf(FIRST + sockets)
  for (const client of clients) client.end("gone")
  await server.stop()
  return Math.round((after - before) / sockets)
}

/** Adds clients until there are so many, who all have joined. */
async function connect(clients, count, place, appKey) {
  const next = async () => {
    while (clients.length < count) {
      const number = clients.length
      const topic = `lobby:${appKey}:room${Math.floor(number / MEMBERS_PER_TOPIC)}`
      const client = new SocketClient(place, `user${number}`, { vsn: "2.0.0", topic })
      clients.push(client)
      if (!(await client.joined)) throw new Error(`client ${number} did not get in`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTING }, next))
}
