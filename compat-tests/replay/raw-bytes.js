// Bytes that the recordings only name: what no proper client sends, and fragments.

import { encodeBinaryMessage } from "../wire/binary-message.js"
import { OPCODE } from "../wire/frames.js"

const INVALID_UTF8 = Buffer.from([0x22, 0xc3, 0x28, 0xff, 0x22])

const heartbeat = (version, ref) =>
  version === 2
    ? JSON.stringify([null, ref, "phoenix", "heartbeat", {}])
    : JSON.stringify({ topic: "phoenix", event: "heartbeat", payload: {}, ref })

const upload = (topic) =>
  encodeBinaryMessage({ kind: 0, join_ref: "1", ref: "5", topic, event: "upload", data: generated(10) })

const generated = (length) => Buffer.from(Array.from({ length }, (_, i) => (7 * i + 255) & 0xff))

const FRAMES = {
  "unmasked text heartbeat": () => ({ opcode: OPCODE.text, payload: heartbeat(1, "1"), masked: false }),
  rsv1: () => ({ opcode: OPCODE.text, payload: heartbeat(1, "1"), rsv1: true }),
  "text fragment 1": () => ({ opcode: OPCODE.text, payload: heartbeat(1, "frag").slice(0, 20), fin: false }),
  "continuation fin": () => ({ opcode: OPCODE.continuation, payload: heartbeat(1, "frag").slice(20) }),
  "ping between": () => ({ opcode: OPCODE.ping, payload: "mid" }),
  "text fragment 1 of a heartbeat": () => ({
    opcode: OPCODE.text,
    payload: heartbeat(2, "hb").slice(0, 20),
    fin: false,
  }),
  "the rest of the heartbeat, fin": () => ({ opcode: OPCODE.continuation, payload: heartbeat(2, "hb").slice(20) }),
  "text frame with invalid utf8": () => ({ opcode: OPCODE.text, payload: INVALID_UTF8 }),
  "first 20 bytes of a binary push (event upload, 10 bytes of data)": (topic) => ({
    opcode: OPCODE.binary,
    payload: upload(topic).subarray(0, 20),
    fin: false,
  }),
  "the rest, fin": (topic) => ({ opcode: OPCODE.continuation, payload: upload(topic).subarray(20) }),
}

/** @returns {object} the frame that a recorded `raw` stands for; `topic` is the one the socket joined */
export function rawFrame(name, topic) {
  const make = FRAMES[name]
  if (!make) throw new Error(`no bytes are known for ${JSON.stringify(name)}`)
  return make(topic)
}
