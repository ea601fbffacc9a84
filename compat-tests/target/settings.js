// Settings from the environment: the server to test.

import fs from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

export const FIXTURES = path.join(ROOT, "fixtures")

const BUILDS = ["../target/release/pusher-lite", "../target/debug/pusher-lite"]

/** @returns {unknown} the content of a JSON file of fixtures/ */
export function fixture(name) {
  return JSON.parse(fs.readFileSync(path.join(FIXTURES, name), "utf8"))
}

/** In CI nothing is left out: what is missing fails. */
export const inCi = () => Boolean(process.env.CI)

/** A server that runs already: `TARGET_URL`, with `TARGET_CREDENTIALS`, a file like fixtures/creds.json. */
export function givenTarget() {
  if (!process.env.TARGET_URL) return null
  const url = new URL(process.env.TARGET_URL)
  const address = { host: url.hostname, port: Number(url.port || 80) }
  const file = process.env.TARGET_CREDENTIALS ?? path.join(FIXTURES, "creds.json")
  return { address, creds: JSON.parse(fs.readFileSync(file, "utf8")) }
}

/** @returns {string} the path of our binary; throws when there is none */
export function binaryPath() {
  const given = process.env.PUSHER_LITE_BIN
  const paths = given ? [path.resolve(given)] : BUILDS.map((build) => path.join(ROOT, build))
  const found = paths.find((file) => fs.existsSync(file))
  if (!found)
    throw new Error(
      `no server to test: ${paths.join(" and ")} are missing. Build it, or set PUSHER_LITE_BIN or TARGET_URL`,
    )
  return found
}
