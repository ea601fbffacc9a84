// Checks of one version of phoenix.js over one transport: a method for each column of the matrix, called in the order
// of CHECKS. Later ones build on what earlier ones left behind.

import assert from "node:assert/strict"
import { signJwt, standardClaims } from "../wire/jwt.js"
import { PhoenixClient, staysAway, stopsWhenRefused } from "./phoenix-client.js"

/** The columns. All cells finish one before any begins the next. */
export const CHECKS = [
  "connect",
  "refused connect",
  "join",
  "refused join",
  "push",
  "receive",
  "receive from REST",
  "presence",
  "leave",
  "JWT expires",
  "restart",
  "new JWT",
]

/** All cells are on it. */
export const COMMON_TOPIC = "matrix"

/** Of a member who may join and send. */
const PERMISSIONS = { default: 3 }

/** @returns {string} a JWT like those of `POST /api/sessions`; `exp` in seconds since 1970 */
export function jwtUntil(exp, { credentials }) {
  return signJwt({ alg: "HS512", typ: "JWT" }, { ...standardClaims(1, PERMISSIONS), exp }, credentials.secret)
}

export class Cell {
  #clients = []

  /** @param {{server: object, expiringJwt: string}} place what all cells share */
  constructor(version, transport, { server, expiringJwt }) {
    Object.assign(this, { version, transport, server, expiringJwt })
    this.name = `${version} over ${transport}`
    this.topic = `matrix ${this.name}`
  }

  /** @param {string} check one of CHECKS */
  carryOut(check, cells) {
    const steps = {
      connect: () => this.#connect(),
      "refused connect": () => this.#refusedConnect(),
      join: () => this.#join(),
      "refused join": () => this.#refusedJoin(),
      push: () => this.#push(),
      receive: () => this.#receive(cells),
      "receive from REST": () => this.common.hears("news", { from: "REST" }),
      presence: () => this.#presence(),
      leave: () => this.#leave(),
      "JWT expires": () => this.#outlivesItsJwt(),
      restart: () => this.#comesBack(),
      "new JWT": () => this.#needsNewJwt(),
    }
    return steps[check]()
  }

  disconnect() {
    for (const client of this.#clients) client.disconnect()
  }

  #client(name, who = {}) {
    const uid = `${name} of ${this.name}`
    const client = new PhoenixClient(this.version, this.server, { uid, ...who }, { transport: this.transport })
    this.#clients.push(client)
    return client.connect()
  }

  async #connect() {
    this.alice = this.#client("alice")
    this.aliceElsewhere = this.#client("alice")
    this.bob = this.#client("bob")
    this.expiring = this.#client("expiring", { jwt: this.expiringJwt })
    await Promise.all(this.#clients.map((client) => client.opened()))
  }

  async #refusedConnect() {
    const eve = this.#client("eve", { jwt: "no.jwt.atall" })
    await eve.refused()
    eve.disconnect()
  }

  async #join() {
    const clients = [this.alice, this.aliceElsewhere, this.bob]
    this.channels = clients.map((client) => client.channel(this.topic).on("message"))
    this.common = this.alice.channel(COMMON_TOPIC).on("message").on("news")
    this.expiringChannel = this.expiring.channel(`${this.topic} expiring`).on("message")
    await Promise.all([...this.channels, this.common, this.expiringChannel].map((channel) => channel.join()))
  }

  async #refusedJoin() {
    const stranger = this.#client("stranger")
    const channel = stranger.channel("general", this.server.credentials.get("app2.app_key"))
    await assert.rejects(channel.join(), { response: { reason: "unauthorized" } })
    assert.deepEqual(stranger.events.items, ["open"], "the connection has to live on")
    stranger.disconnect()
  }

  async #push() {
    const payload = { text: "hello ☃", list: [1, null] }
    this.channels[0].push("message", payload)
    for (const channel of this.channels) await channel.hears("message", payload)
  }

  /** From every cell, itself included. */
  async #receive(cells) {
    this.common.push("message", { from: this.name })
    for (const { name } of cells) await this.common.hears("message", { from: name })
  }

  async #presence() {
    for (const channel of this.channels) await channel.sees({ [this.alice.uid]: 2, [this.bob.uid]: 1 })
  }

  async #leave() {
    const [stays, leaves, bob] = this.channels
    await leaves.leave()
    for (const channel of [stays, bob]) await channel.sees({ [this.alice.uid]: 1, [this.bob.uid]: 1 })
    stays.push("message", { after: "leave" })
    await bob.hears("message", { after: "leave" })
    assert.ok(!leaves.heard.items.some(([, payload]) => payload.after), "what comes after leaving is not heard")
  }

  /** The JWT has expired by now. */
  async #outlivesItsJwt() {
    await this.#isHeard(this.expiringChannel, { after: "expiry" })
    assert.deepEqual(this.expiring.events.items, ["open"], "the connection has to live on")
  }

  /** The server was restarted. */
  async #comesBack() {
    const [alice, , bob] = this.channels
    if (staysAway(this.version, this.transport)) {
      for (const client of [alice.client, bob.client, this.expiring]) {
        await client.events.has((event) => event === "close", `${this.name}: the end of the connection`)
        client.reconnect()
      }
    }
    await Promise.all([alice, bob].map(({ client }) => client.opened(2)))
    await Promise.all([alice, bob, this.common].map((channel) => channel.rejoined()))
    alice.push("message", { after: "restart" })
    for (const channel of [alice, bob]) {
      await channel.hears("message", { after: "restart" })
      await channel.sees({ [this.alice.uid]: 1, [this.bob.uid]: 1 })
    }
  }

  /** The server was restarted, and the JWT has expired long ago. */
  async #needsNewJwt() {
    const { expiring } = this
    // One attempt may have begun when the server was not there yet.
    await expiring.refused({ errors: expiring.errors + 1, openings: 1 })
    expiring.params.guardian_token = this.server.credentials.get("jwt.admin")
    if (stopsWhenRefused(this.version, this.transport)) expiring.reconnect()
    await expiring.opened(2)
    await this.expiringChannel.rejoined()
    await this.#isHeard(this.expiringChannel, { after: "new JWT" })
  }

  async #isHeard(channel, payload) {
    channel.push("message", payload)
    await channel.hears("message", payload)
  }
}
