// A client over WebSocket, of either version of the protocol.

import crypto from "node:crypto"
import net from "node:net"
import tls from "node:tls"
import { closeFrame, takeFrames, textFrame } from "./frames.js"
import { isEvent, isJoin, messageText } from "./messages.js"

const HEARTBEAT_EVERY = 30_000

export class SocketClient {
  /** Events heard. */
  heard = 0
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
    const { protocol, hostname, port } = new URL(place.http)
    const options = { port: Number(port), host: hostname }
    this.socket = protocol === "https:" ? tls.connect(options) : net.connect(options)
    this.socket.on("error", () => {})
    this.joined = new Promise((resolve) => {
      this.socket.on("close", () => resolve(this.#ended()))
      this.socket.on("data", (bytes) => this.#read(bytes, resolve))
    })
    const query = new URLSearchParams({ ...place.params, unique_identifier: user, vsn })
    const headers = Object.entries(place.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
    const key = crypto.randomBytes(16).toString("base64")
    this.socket.write(
      `GET /socket/websocket?${query} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${headers.join("")}\r\n`,
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
    // A client that does not see the server's end of the connection leaves all the same.
    setTimeout(() => this.socket.destroy(), 2_000).unref()
  }

  #read(bytes, joined) {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    if (!this.#open && !this.#readHandshake()) return
    this.#bytes = takeFrames(this.#bytes, (opcode, payload) => {
      if (opcode === 8) return this.socket.destroy()
      const text = payload.toString()
      if (isJoin(text)) joined(true)
      else if (isEvent(text)) this.heard++
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
    if (this.#open && this.socket.writable) this.socket.write(textFrame(messageText(this.vsn, topic, event, payload)))
  }

  #ended() {
    this.#open = false
    clearInterval(this.heartbeat)
    return false
  }
}
