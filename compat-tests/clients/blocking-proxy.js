// A proxy as some companies have it: HTTP passes, WebSockets do not.

import http from "node:http"

/**
 * @param {{host: string, port: number}} target
 * @returns {Promise<{url: string, refusedUpgrades: () => number, close: () => void}>}
 */
export async function startBlockingProxy(target) {
  let refused = 0
  const proxy = http.createServer((request, response) => forward(request, response, target))
  proxy.on("upgrade", (request, socket) => {
    refused += 1
    socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
  })
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve))
  const close = () => {
    proxy.close()
    proxy.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${proxy.address().port}`, refusedUpgrades: () => refused, close }
}

/** Forwards a request. Closes the connection when the target is gone. */
function forward(request, response, { host, port }) {
  const { method, url, headers } = request
  const passed = http.request({ host, port, method, path: url, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers)
    answer.pipe(response)
    answer.on("error", () => response.destroy())
  })
  passed.on("error", () => response.destroy())
  response.on("close", () => passed.destroy())
  request.pipe(passed)
}
