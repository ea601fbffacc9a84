// One HTTP request on a connection of its own, sent byte for byte as it was recorded: any method, any path,
// no Host if there was none.

import net from "node:net"
import { takeResponse } from "./http-parser.js"

/** Time that a server has for one answer, in milliseconds. A long poll takes up to ten seconds. */
const ANSWER_WITHIN = 20_000

/**
 * Sends a request and reads until the server closes the connection.
 *
 * @param {{host: string, port: number}} address
 * @param {{method: string, path: string, headers?: Record<string, string | null>, body?: string | Buffer | null}} request
 *   `body: null` sends neither a body nor a length; a header of `null` is left out even if it is usual
 * @returns {Promise<{status: number | null, headers: Record<string, string>, body: Buffer, extra: Buffer}>}
 *   `status: null` when the connection was closed without an answer; `extra` is what came behind the answer
 */
export function sendRequest(address, request) {
  return new Promise((resolve) => {
    const socket = net.connect(address.port, address.host)
    let received = Buffer.alloc(0)
    const finish = () => {
      socket.destroy()
      resolve(finalAnswer(received, request.method))
    }
    socket.setTimeout(ANSWER_WITHIN, finish)
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes])
    })
    socket.on("error", () => {})
    socket.on("close", finish)
    socket.write(requestBytes(address, request))
  })
}

function requestBytes(address, { method, path, headers = {}, body = null }) {
  const lines = [`${method} ${path} HTTP/1.1`]
  const all = { Host: `${address.host}:${address.port}`, Connection: "close", ...headers }
  const bytes = body === null ? null : Buffer.from(body)
  if (bytes) all["Content-Length"] = String(bytes.length)
  for (const [name, value] of Object.entries(all)) {
    if (value !== null) lines.push(`${name}: ${value}`)
  }
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), bytes ?? Buffer.alloc(0)])
}

function finalAnswer(received, method) {
  let taken = takeResponse(received, { method, ended: true })
  while (taken && taken.response.status < 200) taken = takeResponse(taken.rest, { method, ended: true })
  if (!taken) return { status: null, headers: {}, body: Buffer.alloc(0), extra: received }
  return { ...taken.response, extra: taken.rest }
}
