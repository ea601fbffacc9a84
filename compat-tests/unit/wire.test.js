// The raw client against a well-known WebSocket server, and the HTTP reader on literal bytes.

import assert from "node:assert/strict"
import http from "node:http"
import net from "node:net"
import test from "node:test"
import { WebSocketServer } from "ws"
import { next } from "../replay/http-socket-entries.js"
import { acceptOf } from "../replay/normal-form.js"
import { decodeBinaryMessage, encodeBinaryMessage } from "../wire/binary-message.js"
import { OPCODE } from "../wire/frames.js"
import { takeResponse } from "../wire/http-parser.js"
import { RawSocket } from "../wire/raw-socket.js"

async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { host: "127.0.0.1", port: server.address().port }
}

async function connected(t) {
  const server = http.createServer()
  const peers = new WebSocketServer({ server })
  peers.on("connection", (peer) => {
    peer.on("error", () => {})
    peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary, fin: true }))
  })
  const socket = new RawSocket(await listening(server))
  t.after(() => {
    socket.destroy()
    server.close()
    server.closeAllConnections()
  })
  socket.connect("GET /")
  const handshake = await next(socket, (entry) => entry.status)
  assert.equal(handshake.status, 101)
  assert.equal(handshake.headers["sec-websocket-accept"], acceptOf(socket.key))
  return socket
}

test("texts of every length of length come back", async (t) => {
  const socket = await connected(t)
  for (const size of [0, 125, 126, 65_535, 65_536, 200_000]) {
    const text = "é".repeat(size / 2)
    socket.sendText(text)
    assert.ok(await next(socket, (entry) => entry.text === text), String(size))
  }
})

test("fragments with a ping between them are one message", async (t) => {
  const socket = await connected(t)
  socket.sendFrame({ opcode: OPCODE.text, payload: "one ", fin: false })
  socket.sendFrame({ opcode: OPCODE.ping, payload: "mid" })
  socket.sendFrame({ opcode: OPCODE.continuation, payload: "message" })
  assert.ok(await next(socket, (entry) => entry.op === "text" && entry.text === "one message"))
  assert.deepEqual(socket.received[1].op, "pong")
})

test("close codes come back, and the connection is seen to end", async (t) => {
  const socket = await connected(t)
  socket.sendClose(4001, "bye")
  const close = await next(socket, (entry) => entry.op === "close")
  assert.equal(close.code, 4001)
  assert.ok(await next(socket, (entry) => entry.tcp === "closed"))
})

for (const [name, frame] of [
  ["an unmasked frame", { opcode: OPCODE.text, payload: "x", masked: false }],
  ["a reserved bit", { opcode: OPCODE.text, payload: "x", rsv1: true }],
]) {
  test(`${name} goes out as it is: the server closes with 1002`, async (t) => {
    const socket = await connected(t)
    socket.sendFrame(frame)
    assert.equal((await next(socket, (entry) => entry.op === "close")).code, 1002)
  })
}

test("a second answer behind a refusal is seen", async (t) => {
  const refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
  const server = net.createServer((peer) => peer.end(`${refusal}HTTP/1.1 204 No Content\r\n\r\n`))
  const socket = new RawSocket(await listening(server))
  t.after(() => {
    socket.destroy()
    server.close()
  })
  socket.connect("GET /")
  assert.ok(await next(socket, (entry) => entry.tcp))
  assert.deepEqual(
    socket.received.map(({ status, extra, tcp }) => status ?? extra ?? tcp),
    [403, "HTTP 204", "closed"],
  )
})

test("answers are cut off a stream where they end", () => {
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nrest"
  const { response, rest } = takeResponse(Buffer.from(chunked))
  assert.equal(response.body.toString(), "abcde")
  assert.equal(rest.toString(), "rest")
  assert.equal(takeResponse(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc")), null)
  const head = takeResponse(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), { method: "HEAD" })
  assert.equal(head.response.body.length, 0)
})

test("binary messages of vsn 2", () => {
  const bytes = encodeBinaryMessage({
    kind: 0,
    join_ref: "1",
    ref: "5",
    topic: "t",
    event: "é",
    data: Buffer.from([255]),
  })
  assert.equal(bytes.toString("hex"), "000101010231" + "35" + "74" + "c3a9" + "ff")
  const broadcast = decodeBinaryMessage(Buffer.from("02010274c3a9ff", "hex"))
  assert.deepEqual(broadcast, { kind: 2, topic: "t", event: "é", data: Buffer.from([255]) })
})
