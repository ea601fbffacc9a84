// Properties of the recordings that the replayer relies on.

import assert from "node:assert/strict"
import fs from "node:fs"
import path from "node:path"
import test from "node:test"
import { DIFFERENCES } from "../differences.js"
import { FIXTURES, fixture } from "../target/settings.js"

const files = ["ws.json", "v2.json", "longpoll.json"]
const scenarios = files.flatMap((file) => fixture(file).scenarios.map((scenario) => ({ file, scenario })))

test("no two scenarios use one topic, so that they can be played at the same time", () => {
  const seen = new Map()
  for (const { file, scenario } of scenarios) {
    const topics = new Set(JSON.stringify(scenario).match(/lobby:\{app[12]\.app_key\}:[^"\\]+/g))
    for (const topic of topics) {
      const name = `${file} ${scenario.scenario}`
      assert.equal(seen.get(topic) ?? name, name, topic)
      seen.set(topic, name)
    }
  }
})

test("users who are thrown out appear in one scenario only", () => {
  for (const { scenario } of scenarios) {
    const [, uid] = /event\/disconnect\?topic=([^"&]+)/.exec(JSON.stringify(scenario)) ?? []
    if (!uid) continue
    const users = scenarios.filter((other) => JSON.stringify(other.scenario).includes(`unique_identifier=${uid}&`))
    assert.equal(users.length, 1, uid)
  }
})

test("every row of DIFFERENCES.md is read in one way", () => {
  const text = fs.readFileSync(path.join(FIXTURES, "DIFFERENCES.md"), "utf8")
  const rows = [...text.matchAll(/^\| (D\d+) \|/gm)].map(([, row]) => row)
  assert.deepEqual(Object.keys(DIFFERENCES), rows)
})
