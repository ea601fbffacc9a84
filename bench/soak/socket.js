// A client over WebSocket, of either version of the protocol.

import crypto from "node:crypto"
import net from "node:net"
import { closeFrame, takeFrames, textFrame } from "./frames.js"

const HEARTBEAT_EVERY = 30_000

export class SocketClient {
  /** Messages received. */
  received = 0
  #bytes = Buffer.alloc(0)
  #open = false

  /**
   * @param {import("./crowd.js").Place} place
   * @param {string} user
   * @param {{vsn: "1.0.0" | "2.0.0", topic: string}} options
   */
  constructor(place, user, { vsn, topic }) {
    this.vsn = vsn
    this.topic = topic
    const { hostname, port } = new URL(place.http)
    this.socket = net.connect(Number(port), hostname)
    this.socket.on("error", () => {})
    this.joined = new Promise((resolve) => {
      this.socket.on("close", () => resolve(this.#ended()))
      this.socket.on("data", (bytes) => this.#read(bytes, resolve))
    })
    const query = new URLSearchParams({ ...place.params, unique_identifier: user, vsn })
    const key = crypto.randomBytes(16).toString("base64")
    this.socket.write(
      `GET /socket/websocket?${query} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    )
  }

  push(event, payload) {
    this.#send(this.topic, event, payload)
  }

  /** Ends in one of the ways in which clients do: with a leave, with a close frame, or by just being gone. */
  end(how) {
    if (how === "gone" || !this.#open) return this.socket.destroy()
    if (how === "leave") this.push("phx_leave", {})
    this.socket.write(closeFrame())
    // Whoever does not see the server's end of it goes away all the same.
    setTimeout(() => this.socket.destroy(), 2_000).unref()
  }

  #read(bytes, joined) {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    if (!this.#open && !this.#readHandshake()) return
    this.#bytes = takeFrames(this.#bytes, (opcode) => {
      if (opcode === 8) return this.socket.destroy()
      if (this.received++ === 0) joined(true)
    })
  }

  #readHandshake() {
    const end = this.#bytes.indexOf("\r\n\r\n")
    if (end < 0) return false
    if (!this.#bytes.toString("latin1", 0, 12).endsWith(" 101")) {
      this.socket.destroy()
      return false
    }
    this.#bytes = this.#bytes.subarray(end + 4)
    this.#open = true
    this.heartbeat = setInterval(() => this.#send("phoenix", "heartbeat", {}), HEARTBEAT_EVERY)
    this.push("phx_join", {})
    return true
  }

  #send(topic, event, payload) {
    const message = this.vsn === "1.0.0" ? { topic, event, payload, ref: "1" } : ["1", "1", topic, event, payload]
    if (this.#open && this.socket.writable) this.socket.write(textFrame(JSON.stringify(message)))
  }

  #ended() {
    this.#open = false
    clearInterval(this.heartbeat)
    return false
  }
}
