// WebSocket frames (RFC 6455 section 5), as bytes. The recordings hold frames that no proper client sends
// (unmasked ones, reserved bits, close code 1005), which is why there is no library in between.

import crypto from "node:crypto"

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }

/**
 * @param {{opcode: number, payload?: Buffer | string, fin?: boolean, rsv1?: boolean, masked?: boolean}} frame
 * @returns {Buffer}
 */
export function encodeFrame({ opcode, payload = "", fin = true, rsv1 = false, masked = true }) {
  const data = Buffer.from(payload)
  const first = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode
  const mask = masked ? crypto.randomBytes(4) : null
  return Buffer.concat([
    header(first, data.length, masked),
    mask ?? Buffer.alloc(0),
    mask ? applyMask(data, mask) : data,
  ])
}

function header(first, length, masked) {
  const maskBit = masked ? 0x80 : 0
  if (length < 126) return Buffer.from([first, maskBit | length])
  if (length < 65_536) {
    const bytes = Buffer.from([first, maskBit | 126, 0, 0])
    bytes.writeUInt16BE(length, 2)
    return bytes
  }
  const bytes = Buffer.alloc(10)
  bytes.writeUInt8(first, 0)
  bytes.writeUInt8(maskBit | 127, 1)
  bytes.writeBigUInt64BE(BigInt(length), 2)
  return bytes
}

function applyMask(data, mask) {
  const masked = Buffer.from(data)
  for (let i = 0; i < masked.length; i++) masked[i] ^= mask[i & 3]
  return masked
}

/** @returns {Buffer} the payload of a close frame; empty when `code` is null */
export function closePayload(code, reason = "") {
  if (code === null || code === undefined) return Buffer.alloc(0)
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return Buffer.concat([bytes, Buffer.from(reason)])
}

/**
 * Takes one frame off the front of `bytes`.
 *
 * @param {Buffer} bytes
 * @returns {{frame: {fin: boolean, rsv: number, opcode: number, masked: boolean, payload: Buffer}, rest: Buffer} | null}
 */
export function takeFrame(bytes) {
  if (bytes.length < 2) return null
  const masked = (bytes[1] & 0x80) !== 0
  let length = bytes[1] & 0x7f
  let at = 2
  if (length === 126) {
    if (bytes.length < 4) return null
    length = bytes.readUInt16BE(2)
    at = 4
  } else if (length === 127) {
    if (bytes.length < 10) return null
    length = Number(bytes.readBigUInt64BE(2))
    at = 10
  }
  if (masked) at += 4
  if (bytes.length < at + length) return null
  const frame = {
    fin: (bytes[0] & 0x80) !== 0,
    rsv: (bytes[0] >> 4) & 7,
    opcode: bytes[0] & 0x0f,
    masked,
    payload: bytes.subarray(at, at + length),
  }
  return { frame, rest: bytes.subarray(at + length) }
}
