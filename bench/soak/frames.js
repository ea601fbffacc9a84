// As much of WebSocket as a client needs that sends texts and only counts what it receives.

import crypto from "node:crypto"

const TEXT = 0x81
const CLOSE = 0x88

/** A masked text frame of at most 64 KiB. */
export const textFrame = (text) => frame(TEXT, Buffer.from(text))

export const closeFrame = () => frame(CLOSE, Buffer.from([0x03, 0xe8]))

function frame(first, payload) {
  const short = payload.length < 126
  const head = Buffer.from(short ? [first, 0x80 | payload.length] : [first, 0x80 | 126, payload.length >> 8, payload.length & 255])
  const mask = crypto.randomBytes(4)
  const masked = payload.map((byte, at) => byte ^ mask[at & 3])
  return Buffer.concat([head, mask, masked])
}

/**
 * Takes whole frames off the front of some bytes.
 *
 * @param {Buffer} bytes
 * @param {(opcode: number, payload: Buffer) => void} each
 * @returns {Buffer} what is left
 */
export function takeFrames(bytes, each) {
  for (;;) {
    const length = payloadLength(bytes)
    if (length === null || bytes.length < length.at + length.payload) return bytes
    each(bytes[0] & 15, bytes.subarray(length.at, length.at + length.payload))
    bytes = bytes.subarray(length.at + length.payload)
  }
}

/** Returns the length of the first frame's payload, and its position; null while the header is incomplete. */
function payloadLength(bytes) {
  if (bytes.length < 2) return null
  const short = bytes[1] & 127
  if (short < 126) return { payload: short, at: 2 }
  if (short === 126) return bytes.length < 4 ? null : { payload: bytes.readUInt16BE(2), at: 4 }
  return bytes.length < 10 ? null : { payload: Number(bytes.readBigUInt64BE(2)), at: 10 }
}
