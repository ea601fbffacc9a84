// A WebSocket client that hides nothing: it sends any bytes, and writes down everything that comes back, in order.

import crypto from "node:crypto"
import net from "node:net"
import { OPCODE, closePayload, encodeFrame, takeFrame } from "./frames.js"
import { takeResponse } from "./http-parser.js"

const PROBE_PATH = "/compat-tests-probe"

export class RawSocket {
  /**
   * Received entries, in order: `{status, headers, body}`, `{op, …}`, `{tcp: "closed"}`, each with `at` in
   * milliseconds.
   */
  received = []
  #bytes = Buffer.alloc(0)
  #state = "handshake"
  #fragments = null
  #listener = () => {}

  /** @param {{host: string, port: number}} address */
  constructor(address) {
    this.address = address
    this.key = crypto.randomBytes(16).toString("base64")
  }

  /** Calls `listener` whenever something came. */
  onReceive(listener) {
    this.#listener = listener
  }

  /** True if the TCP connection is gone. */
  get closed() {
    return this.#state === "closed"
  }

  /** True if frames can be sent: the handshake was answered with 101 and no close frame came. */
  get open() {
    return this.#state === "open" && !this.received.some((entry) => entry.op === "close")
  }

  /**
   * @param {string} requestLine `GET /socket/websocket?…`, without the version
   * @param {Record<string, string | null>} headers replace or (null) remove the usual ones
   * @param {boolean} upgrade false: a plain GET
   */
  connect(requestLine, headers = {}, upgrade = true) {
    const lines = Object.entries({ ...this.#usualHeaders(upgrade), ...headers })
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${value}`)
    this.socket = net.connect(this.address.port, this.address.host)
    this.socket.setNoDelay(true)
    this.socket.on("data", (bytes) => this.#read(bytes))
    this.socket.on("error", () => {})
    this.socket.on("close", () => this.#closed())
    this.socket.write([`${requestLine} HTTP/1.1`, ...lines, "", ""].join("\r\n"))
  }

  #usualHeaders(upgrade) {
    const host = { Host: `${this.address.host}:${this.address.port}` }
    if (!upgrade) return host
    return {
      ...host,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": this.key,
    }
  }

  sendText(text) {
    this.sendFrame({ opcode: OPCODE.text, payload: text })
  }

  sendBinary(bytes) {
    this.sendFrame({ opcode: OPCODE.binary, payload: bytes })
  }

  sendClose(code, reason) {
    this.sendFrame({ opcode: OPCODE.close, payload: closePayload(code, reason) })
  }

  /** @param {Parameters<typeof encodeFrame>[0]} frame */
  sendFrame(frame) {
    this.socket.write(encodeFrame(frame))
  }

  /** Ends the TCP connection without a close frame. */
  destroy() {
    this.socket?.resetAndDestroy()
    this.#closed()
  }

  #read(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    if (this.#state === "handshake") this.#readHandshake(false)
    if (this.#state === "refused") this.#readBehindRefusal(false)
    while (this.#state === "open" && this.#readFrame());
  }

  #readHandshake(ended) {
    const taken = takeResponse(this.#bytes, { ended })
    if (!taken) return
    const { status, headers, body } = taken.response
    this.#bytes = taken.rest
    this.#state = status === 101 ? "open" : "refused"
    this.#record({ status, headers, body: body.toString() })
    if (status !== 101) this.#probe()
  }

  // Asks for something else on the refused connection: what comes before its answer, or instead of it, belongs to the
  // refusal and should not be there.
  #probe() {
    const host = `${this.address.host}:${this.address.port}`
    this.socket.write(`GET ${PROBE_PATH} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  }

  #readBehindRefusal(ended) {
    if (this.#bytes.length === 0) return
    const taken = takeResponse(this.#bytes, { ended })
    if (!taken) return
    this.#bytes = taken.rest
    if (taken.response.status !== 404) this.#record({ extra: `HTTP ${taken.response.status}` })
  }

  #readFrame() {
    const taken = takeFrame(this.#bytes)
    if (!taken) return false
    this.#bytes = taken.rest
    const { frame } = taken
    if (frame.rsv || frame.masked) this.#record({ op: "malformed", rsv: frame.rsv, masked: frame.masked })
    this.#readMessage(frame)
    return true
  }

  #readMessage({ fin, opcode, payload }) {
    if (opcode === OPCODE.close) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : null
      return this.#record({ op: "close", code, reason: payload.subarray(2).toString() })
    }
    if (opcode === OPCODE.ping) return this.#record({ op: "ping", text: payload.toString() })
    if (opcode === OPCODE.pong) return this.#record({ op: "pong", text: payload.toString() })
    if (opcode !== OPCODE.continuation) this.#fragments = { opcode, parts: [] }
    this.#fragments?.parts.push(payload)
    if (!fin || !this.#fragments) return
    const whole = Buffer.concat(this.#fragments.parts)
    const op = this.#fragments.opcode === OPCODE.text ? "text" : "binary"
    this.#fragments = null
    this.#record(op === "text" ? { op, text: whole.toString() } : { op, bytes: whole })
  }

  #closed() {
    if (this.#state === "closed") return
    if (this.#state === "handshake") this.#readHandshake(true)
    if (this.#state === "refused") this.#readBehindRefusal(true)
    this.#state = "closed"
    this.#record({ tcp: "closed" })
  }

  #record(entry) {
    this.received.push({ ...entry, at: Date.now() })
    this.#listener()
  }
}
