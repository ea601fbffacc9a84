// Plays one scenario against a server: sends what was sent, waits for what must come, compares.

import { recordedData, decodeBinaryMessage, encodeBinaryMessage } from "../wire/binary-message.js"
import { OPCODE } from "../wire/frames.js"
import { sendRequest } from "../wire/http.js"
import { RawSocket } from "../wire/raw-socket.js"
import { acceptOf, digest } from "./normal-form.js"
import { Poller } from "./poller.js"
import { rawFrame } from "./raw-bytes.js"
import { laneOf } from "./timeline.js"
import { parseJson, stepMessage } from "./wire-message.js"

/** Time for a required message to come, in milliseconds, on top of the recorded time when that was long. */
const PATIENCE = 6_000

/** Time to wait further once something is missing. */
const PATIENCE_LOST = 300

const BARRIER = "compat-tests-barrier"

export class Player {
  /** lane -> what came on it, in order */
  lanes = new Map()
  #sockets = new Map()
  #versions = new Map()
  /** socket -> the topic it joined last */
  #topics = new Map()
  #read = new Map()
  #poller
  #wake = () => {}
  #patience = PATIENCE

  /**
   * @param {{host: string, port: number}} address
   * @param {{stop?: () => Promise<void>}} powers what a scenario may do to the server besides talking to it
   */
  constructor(address, powers = {}) {
    this.address = address
    this.powers = powers
  }

  /**
   * @param {import("./timeline.js").Phase[]} phases
   * @param {(phase: number, isMeant?: (lane: string) => boolean) => boolean} satisfied whether everything up to that phase
   *   has come on the lanes that are meant
   */
  async play(phases, satisfied) {
    try {
      for (const [index, phase] of phases.entries()) {
        if (phase.pause) await new Promise((resolve) => setTimeout(resolve, phase.pause))
        for (const action of phase.actions)
          await this.#act(action, () => satisfied(answeredIn(phases, action), laneOfSession(action)))
        await this.#wait(() => satisfied(index), recordedWait(phase))
      }
      await this.#barrier()
    } finally {
      for (const socket of this.#sockets.values()) {
        socket.onReceive(() => {})
        socket.destroy()
      }
    }
  }

  async #wait(condition, recorded) {
    const deadline = Date.now() + recorded + this.#patience
    while (!condition()) {
      const left = deadline - Date.now()
      if (left <= 0) {
        this.#patience = PATIENCE_LOST
        return
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** @param {() => boolean} complete whether the messages that the action's answer is to bring have come */
  async #act(action, complete) {
    if (action.http) return this.#request(action)
    if (action.request) return this.#longpoll(action, complete)
    if (action.stop) return this.powers.stop()
    if (action.connect) return this.#connect(action)
    const socket = this.#sockets.get(action.socket)
    const message = stepMessage(action)
    if (message?.event === "phx_join") this.#topics.set(action.socket, message.topic)
    if (action.tcp) return socket.destroy()
    if (socket.closed) return
    if (action.op === "text")
      return socket.sendText(action.json === undefined ? action.text : JSON.stringify(action.json))
    if (action.op === "binary") return socket.sendBinary(binaryOf(action))
    if (action.op === "close") return socket.sendClose(action.code, action.reason)
    if (action.op === "ping") return socket.sendFrame({ opcode: OPCODE.ping, payload: action.text })
    if (action.raw) return socket.sendFrame(rawFrame(action.raw, this.#topics.get(action.socket)))
    throw new Error(`no way to do this: ${JSON.stringify(action)}`)
  }

  #connect(action) {
    const socket = new RawSocket(this.address)
    this.#sockets.set(action.socket, socket)
    this.#versions.set(action.socket, /[?&]vsn=2\./.test(action.connect) ? 2 : 1)
    socket.onReceive(() => this.#collect(action.socket))
    socket.connect(action.connect, action.headers, action.upgrade)
  }

  /** Long-polling goes on while other things happen: only what comes of it is waited for. */
  #longpoll(action, complete) {
    this.#poller ??= new Poller(this.address, (step, entry) => this.#write(step, entry))
    void this.#poller.send(action, complete)
  }

  async #request(action) {
    const [method, path] = action.http.split(" ")
    const body = action.req_json === undefined ? (action.req_body ?? "") : JSON.stringify(action.req_json)
    const answer = await sendRequest(this.address, { method, path, headers: action.req_headers, body })
    const text = answer.body.toString()
    this.#write({ ...action, answer: true }, { status: answer.status, text, json: parseJson(text) })
  }

  #collect(name) {
    const socket = this.#sockets.get(name)
    for (let at = this.#read.get(name) ?? 0; at < socket.received.length; at++) {
      this.#read.set(name, at + 1)
      const entry = readable(socket.received[at], socket.key)
      if (!isBarrierReply(entry)) this.#write({ ...entry, socket: name }, entry)
    }
    this.#wake()
  }

  #write(step, entry) {
    const lane = laneOf(step)
    if (!this.lanes.has(lane)) this.lanes.set(lane, [])
    this.lanes.get(lane).push(entry)
    this.#wake()
  }

  /** Makes sure that everything the server had to say has arrived: each socket asks and is answered, twice over. */
  async #barrier() {
    for (const round of [1, 2]) {
      for (const [name, socket] of this.#sockets) {
        if (!socket.open) continue
        const ref = `${BARRIER}-${round}`
        const array = this.#versions.get(name) === 2
        const message = array
          ? [null, ref, "phoenix", "heartbeat", {}]
          : { topic: "phoenix", event: "heartbeat", payload: {}, ref }
        socket.sendText(JSON.stringify(message))
        await this.#wait(() => !socket.open || socket.closed || answered(socket, ref), 0)
      }
    }
  }
}

const answeredIn = (phases, { id }) =>
  phases.findIndex((phase) => phase.expected.some((step) => step.answer && step.id === id))

const laneOfSession =
  ({ socket }) =>
  (lane) =>
    lane.startsWith(`${socket} on `)

const answered = (socket, ref) => socket.received.some((entry) => entry.op === "text" && entry.text.includes(ref))

const isBarrierReply = (entry) => entry.op === "text" && entry.text.includes(BARRIER)

/** Returns the time that the recording took for this phase's messages, if that was long: an idle time-out. */
function recordedWait({ actions, expected }) {
  if (expected.length === 0) return 0
  const took = expected.at(-1).t - actions.at(-1).t
  return took > PATIENCE / 2 ? took : 0
}

function binaryOf(action) {
  if (action.hex !== undefined) return Buffer.from(action.hex, "hex")
  return encodeBinaryMessage({ ...action.frame, data: recordedData(action.frame.data) })
}

function readable(entry, key) {
  if (entry.op === "text") return { ...entry, json: parseJson(entry.text) }
  if (entry.op === "binary") {
    const message = decodeBinaryMessage(entry.bytes)
    return { op: "binary", frame: { ...message, data: digest(message.data) }, at: entry.at }
  }
  return entry.status === 101 ? { ...entry, accept: acceptOf(key) } : entry
}
