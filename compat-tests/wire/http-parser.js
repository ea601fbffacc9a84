// Reads HTTP/1.1 responses off a byte stream. Kept by hand because the recordings look at what proper
// clients hide: a second response behind the first, a connection closed without any.

/**
 * Takes one response off the front of `bytes`.
 *
 * @param {Buffer} bytes what has been received so far
 * @param {{method?: string, ended?: boolean}} of the request's method; whether the peer has closed
 * @returns {{response: object, rest: Buffer} | null} null while the response is not complete
 */
export function takeResponse(bytes, { method = "GET", ended = false } = {}) {
  const headEnd = bytes.indexOf("\r\n\r\n")
  if (headEnd < 0) return null
  const head = parseHead(bytes.subarray(0, headEnd).toString("latin1"))
  const after = bytes.subarray(headEnd + 4)
  const body = takeBody(head, after, method, ended)
  return body && { response: { ...head, body: body.bytes }, rest: body.rest }
}

function parseHead(text) {
  const [statusLine, ...lines] = text.split("\r\n")
  const headers = {}
  for (const line of lines) {
    const colon = line.indexOf(":")
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  return { status: Number(statusLine.split(" ")[1]), headers }
}

function takeBody({ status, headers }, bytes, method, ended) {
  const none = { bytes: Buffer.alloc(0), rest: bytes }
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return none
  if (/chunked/i.test(headers["transfer-encoding"] ?? "")) return takeChunks(bytes)
  if ("content-length" in headers) {
    const length = Number(headers["content-length"])
    return bytes.length < length ? null : { bytes: bytes.subarray(0, length), rest: bytes.subarray(length) }
  }
  return ended ? { bytes, rest: Buffer.alloc(0) } : null
}

function takeChunks(bytes) {
  const chunks = []
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n")
    if (lineEnd < 0) return null
    const size = parseInt(bytes.subarray(0, lineEnd).toString("latin1"), 16)
    const end = lineEnd + 2 + size + 2
    if (bytes.length < end) return null
    if (size === 0) return { bytes: Buffer.concat(chunks), rest: bytes.subarray(end) }
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    bytes = bytes.subarray(end)
  }
}
