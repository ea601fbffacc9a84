// Many clients in several processes, looked at as one.

import { fork } from "node:child_process"
import path from "node:path"
import { Inbox } from "../clients/inbox.js"
import { atEnd } from "../target/scratch.js"

const PROGRAM = path.join(import.meta.dirname, "clients.js")

export class Crowd {
  #states = []
  #looks = new Inbox()
  #processes = []

  /**
   * @param {object} server as `install` gives it
   * @param {{clients: number, processes: number, topics: number, transports: string[][]}} how `transports`: pairs of a
   *   version and a transport, given to the clients in turn
   */
  constructor({ url, credentials }, { clients, processes, topics, transports }) {
    this.size = clients
    const common = { url, jwt: credentials.get("jwt.admin"), appKey: credentials.get("app1.app_key"), topics, transports }
    const share = Math.ceil(clients / processes)
    for (let first = 0; first < clients; first += share) {
      const at = this.#processes.length
      const child = fork(PROGRAM, { stdio: ["ignore", "inherit", "inherit", "ipc"] })
      atEnd(() => child.kill("SIGKILL"))
      child.on("message", (state) => this.#tell(at, state))
      child.send({ ...common, first, count: Math.min(share, clients - first) })
      this.#processes.push(child)
    }
  }

  /** Resolves when all have joined for the first time. */
  joined(within) {
    return this.#all("joined", within)
  }

  /** To be called before the restart; resolves when it is counted who comes back. */
  restarting(within) {
    for (const child of this.#processes) child.send("restarting")
    return this.#all("prepared", within)
  }

  /** Resolves when all have joined again. */
  rejoined(within) {
    return this.#all("rejoined", within)
  }

  /** Resolves when all have heard the event `after`. */
  heard(within) {
    return this.#all("heard", within)
  }

  /** Answers that made clients believe that the server refuses them. */
  get refusals() {
    return this.#states.flatMap((state) => state.refusals)
  }

  end() {
    for (const child of this.#processes) child.send("end")
  }

  #tell(at, state) {
    this.#states[at] = state
    this.#looks.items = []
    this.#looks.put(this.#sums())
  }

  #sums() {
    const sum = (what) => this.#states.reduce((total, state) => total + (state?.[what] ?? 0), 0)
    const deaf = this.#states.flatMap((state) => state?.deaf ?? [])
    const sums = ["joined", "prepared", "rejoined", "heard"].map((what) => [what, sum(what)])
    return { ...Object.fromEntries(sums), of: this.size, deaf }
  }

  async #all(what, within) {
    await this.#looks.until((items) => items.some((sums) => sums[what] === this.size), `all of "${what}"`, within)
  }
}
