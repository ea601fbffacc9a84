// Every version of phoenix.js over every transport, at once, on one server.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { sendRequest } from "../wire/http.js"
import { Cell, CHECKS, COMMON_TOPIC, jwtUntil } from "./matrix-cell.js"
import { documentedTable, documentTable, keepTable, matrixTable } from "./matrix-table.js"
import { TRANSPORTS, VERSIONS } from "./phoenix-client.js"
import { publish } from "./rest.js"
import { leftOut, serversUnderTest } from "./servers.js"

/** Seconds that the JWT lives which is to expire. By then all cells are connected. */
const EXPIRES_IN = 20

const [{ restarts, start }] = await serversUnderTest(["sqlite"])

describe("matrix", { skip: leftOut(restarts ? undefined : "needs a server of its own") }, () => {
  let server
  let results = []

  before(async () => {
    server = await start()
    const exp = Math.floor(Date.now() / 1000) + EXPIRES_IN
    const place = { server, expiringJwt: jwtUntil(exp, server) }
    const cells = VERSIONS.flatMap((version) => TRANSPORTS.map((transport) => new Cell(version, transport, place)))
    results = cells.map((cell) => ({ cell, errors: new Map() }))
    for (const check of CHECKS) {
      await BEFOREHAND[check]?.(place, exp)
      await Promise.all(results.map((result) => carryOut(check, result, cells)))
    }
    keepTable(matrixTable(CHECKS, results))
  })

  after(async () => {
    for (const { cell } of results) cell.disconnect()
    await server?.dispose()
  })

  /** Actions for all cells before a check. */
  const BEFOREHAND = {
    "receive from REST": () => publish(server, "news", { topic: COMMON_TOPIC, from: "REST" }),
    "JWT expires": ({ expiringJwt }, exp) => expiry(expiringJwt, exp),
    restart: () => server.server.restart(),
  }

  async function carryOut(check, { cell, errors }, cells) {
    await Promise.resolve(cell.carryOut(check, cells)).catch((error) => errors.set(check, error))
  }

  /** Resolves when the server refuses the JWT. */
  async function expiry(jwt, exp) {
    const appKey = server.credentials.get("app1.app_key")
    const path = `/socket/longpoll?app_key=${appKey}&guardian_token=${jwt}&unique_identifier=clock&vsn=2.0.0`
    do {
      await new Promise((resolve) => setTimeout(resolve, Math.max(100, exp * 1000 - Date.now())))
    } while (JSON.parse((await sendRequest(server.address, { method: "GET", path })).body).status !== 403)
  }

  for (const version of VERSIONS) {
    for (const transport of TRANSPORTS) {
      describe(`${version} over ${transport}`, () => {
        for (const check of CHECKS) {
          test(check, () => {
            const result = results.find(({ cell }) => cell.version === version && cell.transport === transport)
            const error = result.errors.get(check)
            if (error) throw error
          })
        }
      })
    }
  }

  test("the documentation has this table", () => {
    const table = matrixTable(CHECKS, results)
    assert.ok(
      results.every(({ errors }) => errors.size === 0),
      "what does not work is not documented",
    )
    if (process.env.COMPAT_WRITE_MATRIX) documentTable(table)
    assert.equal(documentedTable(), table, "docs/clients.md is out of date: npm test -- --only=clients --write-matrix")
  })
})
