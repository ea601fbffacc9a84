// One way to write things down that have several.

import crypto from "node:crypto"

const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** The `Sec-WebSocket-Accept` that belongs to a key (RFC 6455 section 4.2.2). */
export function acceptOf(key) {
  return crypto
    .createHash("sha1")
    .update(key + ACCEPT_GUID)
    .digest("base64")
}

/** Bytes in hex; long ones as their size and SHA-1. */
export function digest(bytes) {
  if (bytes.length <= 64) return bytes.toString("hex")
  return `${bytes.length} bytes, sha1 ${crypto.createHash("sha1").update(bytes).digest("hex")}`
}
