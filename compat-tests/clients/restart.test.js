// A restart under load. The script `restart.js` does it with more clients.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { rehearse } from "../restart/rehearsal.js"
import { leftOut, serversUnderTest } from "./servers.js"

const [{ restarts }] = await serversUnderTest(["sqlite"])

/** Seconds. */
const WINDOW = 4

describe("restart under load", { skip: leftOut(restarts ? undefined : "needs a server of its own") }, () => {
  test("1,000 clients are back in time, and none is refused", async () => {
    const outcome = await rehearse({ clients: 1_000, processes: 2, window: WINDOW })
    assert.equal(outcome.exitCode, 0)
    assert.deepEqual(outcome.refusals, [])
    assert.ok(outcome.stopped >= WINDOW / 2, `sockets were closed little by little: ${JSON.stringify(outcome)}`)
    assert.ok(outcome.rejoined <= WINDOW + 10, `back within the window and ten seconds: ${JSON.stringify(outcome)}`)
    assert.ok(outcome.published > 0)
    // The server was away for a moment, or stopping; nothing else may go wrong.
    assert.ok(Object.keys(outcome.failed).every((status) => ["0", "503"].includes(status)), JSON.stringify(outcome.failed))
  })
})
