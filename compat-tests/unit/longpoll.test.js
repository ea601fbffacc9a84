// A long-polling scenario, played against a server that spreads its messages over more polls than the recorded one did.

import assert from "node:assert/strict"
import http from "node:http"
import test from "node:test"
import { replayScenario } from "../replay/socket-recordings.js"
import { fixture } from "../target/settings.js"
import { credentials } from "./support.js"

const scenario = fixture("v2.json").scenarios.find((entry) => entry.scenario === "lp_join_flow")

const HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "max-age=0, private, must-revalidate",
  "access-control-allow-origin": "*",
}

/** Returns the messages of each POST of the scenario, from the recording, with a time of now. */
function messagesByPost() {
  const brought = scenario.steps
    .filter(({ response }) => response.json.messages?.length > 0)
    .map(({ response }) => response.json.messages)
  return brought.map((messages) =>
    messages.map((text) => credentials.fill(text.replace(/"online_at":\d+/, `"online_at":${Date.now()}`))),
  )
}

/** One message a poll, if `spread`, else all at once; `lost` is left out. */
async function serverOf(t, { spread, lost }) {
  const batches = messagesByPost()
  const waiting = []
  const server = http.createServer((request, response) => {
    const answer = (json) => response.writeHead(200, HEADERS).end(JSON.stringify(json))
    const hasToken = request.url.includes("token=secret")
    request.resume()
    if (request.method === "POST") {
      waiting.push(...batches.shift().filter((text) => !lost || !text.includes(lost)))
      return answer({ status: 200 })
    }
    if (!hasToken) return answer({ messages: [], status: 410, token: "secret" })
    const messages = waiting.splice(0, spread ? 1 : waiting.length)
    answer({ messages, status: messages.length > 0 ? 200 : 204, token: "secret" })
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.after(() => server.close())
  return { host: "127.0.0.1", port: server.address().port }
}

const play = async (t, behaviour) =>
  replayScenario(scenario, { file: "v2.json", address: await serverOf(t, behaviour), credentials })

test("messages may come with one poll or with several", async (t) => {
  for (const spread of [false, true]) {
    const { verdict, wrong } = await play(t, { spread })
    assert.equal(verdict, "same", wrong)
  }
})

test("a message that is missing is seen", async (t) => {
  const { verdict } = await play(t, { spread: false, lost: "presence_state" })
  assert.equal(verdict, "unexpected")
})
