// Our binary, started on a free port of this machine.

import { spawn } from "node:child_process"
import { sendRequest } from "../wire/http.js"
import { freePort } from "./free-port.js"
import { atEnd } from "./scratch.js"
import { binaryPath } from "./settings.js"

const READY_WITHIN = 30_000
const STOPPED_WITHIN = 20_000
const LOG_KEPT = 20_000

/**
 * @param {Record<string, string>} settings environment of the server, besides HOST and PORT
 * @param {{folder: string, port?: number}} where `port`: the one to use again after a restart
 * @returns {Promise<ServerProcess>} once it answers that it is ready
 */
export async function startServer(settings, { folder, port }) {
  const server = new ServerProcess(settings, folder, port ?? (await freePort()))
  await server.start()
  return server
}

class ServerProcess {
  #log = ""

  constructor(settings, folder, port) {
    this.settings = settings
    this.folder = folder
    this.address = { host: "127.0.0.1", port }
    atEnd(() => this.child?.kill("SIGKILL"))
  }

  get url() {
    return `http://${this.address.host}:${this.address.port}`
  }

  /** Starts it on the same port and database as before. */
  async start() {
    this.child = runBinary(["serve"], this.#environment(), this.folder)
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on("data", (text) => this.#remember(text))
    const ended = new Promise((resolve) => this.child.once("exit", resolve))
    this.ended = ended
    await this.#ready(ended)
  }

  /**
   * Stops it as an administrator would, by SIGTERM.
   *
   * @param {number} [within] milliseconds; then it is killed
   * @returns {Promise<number | null>} its exit code
   */
  async stop(within = STOPPED_WITHIN) {
    this.child.kill("SIGTERM")
    const timer = setTimeout(() => this.child.kill("SIGKILL"), within)
    const code = await this.ended
    clearTimeout(timer)
    return code
  }

  async restart() {
    await this.stop()
    await this.start()
  }

  /** The end of what it wrote to its output. */
  get log() {
    return this.#log
  }

  #environment() {
    return { ...this.settings, HOST: this.address.host, PORT: String(this.address.port) }
  }

  #remember(text) {
    this.#log = (this.#log + text).slice(-LOG_KEPT)
  }

  async #ready(ended) {
    let running = true
    ended.then(() => (running = false))
    const deadline = Date.now() + READY_WITHIN
    while (running && Date.now() < deadline) {
      const answer = await sendRequest(this.address, { method: "GET", path: "/health/ready" })
      if (answer.status === 200) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    this.child.kill("SIGKILL")
    throw new Error(`the server ${running ? "was not ready in time" : "ended"}:\n${this.#log}`)
  }
}

/** Runs a command of the binary to its end, such as `migrate`. */
export async function runToEnd(args, settings, folder) {
  const child = runBinary(args, settings, folder)
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text))
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve))
  if (code !== 0) throw new Error(`pusher-lite ${args.join(" ")} ended with ${code}:\n${output}`)
}

function runBinary(args, settings, folder) {
  const { PATH, HOME, RUST_BACKTRACE = "1" } = process.env
  const env = { PATH, HOME, RUST_BACKTRACE, ...settings }
  return spawn(binaryPath(), args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] })
}
