// The servers that are measured: ours, the null server, or any other that speaks the Phoenix channel protocol.

import { execFileSync, spawn } from "node:child_process"
import fs from "node:fs"
import net from "node:net"
import os from "node:os"
import path from "node:path"

const HERE = import.meta.dirname
export const LOADGEN = path.join(HERE, "target/release/loadgen")
const NULL_SERVER = path.join(HERE, "target/release/nullserver")

const READY_WITHIN = 30_000

/**
 * Target of the load generator.
 *
 * @typedef {object} Target
 * @property {string[]} args what every scenario needs: where, and as whom
 * @property {string[]} [restArgs] how to publish through REST, if the server can
 * @property {number} [pid]
 * @property {() => Promise<void>} stop
 */

/**
 * Starts our binary on a new database, with a user, a JWT and an application of its own.
 *
 * @param {string} binary
 * @param {string[]} [wrapper] a program, and its arguments, that runs it
 * @param {Record<string, string>} [settings] as environment variables
 * @returns {Promise<Target & {http: string, applications: string, appKey: string, jwt: string}>}
 */
export async function startOurs(binary, wrapper = [], settings = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pusher-lite-bench-"))
  const port = await freePort()
  // Settings in the environment that are for another server must not count here.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("PUSHER_LITE_"))
  const env = {
    ...Object.fromEntries(others),
    ...{ DATABASE_URL: `sqlite://${folder}/pusher-lite.db`, PORT: String(port), PUSHER_LITE_LOG: "warn" },
    // The benchmark measures what the server can do, not what it lets one client do.
    ...{ PUSHER_LITE_EVENTS_PER_SOCKET: "0", PUSHER_LITE_EVENTS_PER_APPLICATION: "0" },
    ...settings,
  }
  const command = (...args) => execFileSync(binary, args, { env, encoding: "utf8" }).trim()
  command("migrate")
  command("user", "create", "--email", "bench@example.com", "--root")
  const token = command("token", "create", "--user", "bench@example.com").split(/\s+/).at(-1)
  const [program, ...args] = [...wrapper, binary, "serve"]
  const child = spawn(program, args, { env, stdio: "ignore" })
  const stop = async () => {
    await ended(child)
    fs.rmSync(folder, { recursive: true })
  }
  const http = `${settings.PUSHER_LITE_TLS_CERTIFICATE ? "https" : "http"}://127.0.0.1:${port}`
  await answers(`${http}/health/ready`)
  const { jwt } = await create(`${http}/api/sessions`, { token })
  const { slug } = await create(`${http}/api/organizations`, { organization: { name: "Bench" } }, jwt)
  const applications = `${http}/api/organizations/${slug}/applications`
  const { app_key: appKey } = await create(applications, { application: { name: "Bench" } }, jwt)
  const common = [
    ...["--proto", "phx2", "--url", `ws://127.0.0.1:${port}/socket/websocket`, "--server-pid", String(child.pid)],
    ...["--topic", `lobby:${appKey}:room{t}`, "--param", `app_key=${appKey}`, "--param", `guardian_token=${jwt}`],
    ...["--param", "unique_identifier=u{i}"],
  ]
  const restArgs = [
    ...["--publish", "http", "--publish-url", `${applications}/${appKey}/event/{event}`],
    ...["--header", `Authorization: Bearer ${jwt}`, "--publish-body", '{"topic":"room0","payload":{payload}}'],
  ]
  return { args: common, restArgs, pid: child.pid, stop, http, applications, appKey, jwt }
}

/** @returns {Promise<Target>} */
export async function startNull() {
  const port = await freePort()
  const child = spawn(NULL_SERVER, ["--port", String(port)], { stdio: "ignore" })
  await accepts(port)
  const url = `ws://127.0.0.1:${port}/socket/websocket`
  const args = ["--proto", "phx2", "--url", url, "--server-pid", String(child.pid), "--topic", "lobby:APP:room{t}"]
  return { args, stop: () => ended(child) }
}

/**
 * A server that runs already.
 *
 * @param {string} url of its socket: `ws://127.0.0.1:4000/socket/websocket`
 * @param {string[]} more arguments for the load generator: `--server-pid`, `--topic`, `--param`, …
 * @returns {Target}
 */
export function another(url, more) {
  return { args: ["--proto", "phx2", "--url", url, ...more], stop: async () => {} }
}

async function create(url, body, jwt) {
  const headers = { "content-type": "application/json", ...(jwt && { authorization: `Bearer ${jwt}` }) }
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`POST ${url} is answered with ${response.status}`)
  const answer = await response.json()
  return answer.data ?? answer
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const listener = net.createServer()
    listener.once("error", reject)
    listener.listen(0, "127.0.0.1", () => {
      const { port } = listener.address()
      listener.close(() => resolve(port))
    })
  })
}

const accepts = (port) =>
  eventually(`port ${port}`, () => {
    return new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1", () => resolve(socket.end() && true))
      socket.once("error", () => resolve(false))
    })
  })

const answers = (url) => eventually(url, () => fetch(url).then((response) => response.ok, () => false))

async function eventually(what, check) {
  const deadline = Date.now() + READY_WITHIN
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`${what} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once("exit", () => resolve())
    child.kill("SIGTERM")
  })
}
