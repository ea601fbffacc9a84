// The binary form of vsn 2 messages. A client sends kind 0 with join_ref, ref, topic and event; the server sends
// kind 2 (a broadcast) with topic and event. Each string's length is one byte, in front of all strings.

import crypto from "node:crypto"

const CLIENT_STRINGS = ["join_ref", "ref", "topic", "event"]
const BROADCAST_STRINGS = ["topic", "event"]

/** @param {{kind: number, join_ref?: string, ref?: string, topic?: string, event?: string, data: Buffer}} message */
export function encodeBinaryMessage(message) {
  const names = CLIENT_STRINGS.filter((name) => message[name] !== undefined)
  const strings = names.map((name) => Buffer.from(message[name]))
  const lengths = strings.map((bytes) => bytes.length)
  return Buffer.concat([Buffer.from([message.kind, ...lengths]), ...strings, message.data])
}

/** @returns {{kind: number, topic?: string, event?: string, data: Buffer}} of a frame the server sent */
export function decodeBinaryMessage(bytes) {
  const kind = bytes[0]
  if (kind !== 2) return { kind, data: bytes.subarray(1) }
  const message = { kind }
  let at = 1 + BROADCAST_STRINGS.length
  BROADCAST_STRINGS.forEach((name, index) => {
    const length = bytes[1 + index]
    message[name] = bytes.subarray(at, at + length).toString()
    at += length
  })
  return { ...message, data: bytes.subarray(at) }
}

/** The bytes of a recorded `data`: hex, or for long ones the rule `(7i + 255) mod 256` with size and SHA-1. */
export function recordedData(data) {
  const cut = /…\((\d+) bytes, sha1 ([0-9a-f]{40})\)$/.exec(data)
  if (!cut) return Buffer.from(data, "hex")
  const bytes = Buffer.alloc(Number(cut[1]))
  for (let i = 0; i < bytes.length; i++) bytes[i] = (7 * i + 255) & 0xff
  const sha1 = crypto.createHash("sha1").update(bytes).digest("hex")
  if (sha1 !== cut[2]) throw new Error(`recorded data is not made by the rule: ${data}`)
  return bytes
}
