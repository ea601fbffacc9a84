// Serves the page of an application that uses the server under test, from another origin than that server's.

import fs from "node:fs"
import http from "node:http"
import path from "node:path"

const SCRIPT = path.join(import.meta.dirname, "application.js")

/**
 * @param {string} serverUrl of the server under test
 * @returns {Promise<{url: string, close: () => void}>}
 */
export async function servePage(serverUrl) {
  const server = http.createServer((request, response) => {
    if (request.url === "/application.js") return answer(response, "text/javascript", fs.readFileSync(SCRIPT))
    if (request.url === "/favicon.ico") return response.writeHead(204).end()
    answer(response, "text/html; charset=utf-8", pageOf(serverUrl), policyOf(serverUrl))
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${server.address().port}/`, close }
}

function answer(response, type, body, headers = {}) {
  response.writeHead(200, { "content-type": type, ...headers }).end(body)
}

/** Just the script tag, as the original's documentation has it. */
const pageOf = (serverUrl) => `<!doctype html>
<title>An application</title>
<script src="${serverUrl}/js/pusher.js"></script>
<script src="/application.js"></script>
`

/** As strict as a careful application is: nothing inline, no eval, no other hosts. */
function policyOf(serverUrl) {
  const socket = serverUrl.replace(/^http/, "ws")
  const policy = `default-src 'none'; script-src 'self' ${serverUrl}; connect-src ${serverUrl} ${socket}`
  return { "content-security-policy": policy }
}
