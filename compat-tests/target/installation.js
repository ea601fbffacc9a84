// A server on a database of its own, holding the original's rows.

import { Credentials } from "../wire/credentials.js"
import { findPostgres, restoredDatabase, dropDatabase } from "./postgres.js"
import { scratchFolder } from "./scratch.js"
import { startServer } from "./server-process.js"
import { fixture } from "./settings.js"
import { filledDatabase } from "./sqlite.js"

export const DATABASES = ["sqlite", "postgres"]

const creds = fixture("creds.json")

/** Guardian's secret of the recorded installation keeps its JWTs valid; cookies were never recorded. */
const SECRETS = {
  PUSHER_LITE_JWT_SECRET: creds.guardian_secret,
  PUSHER_LITE_COOKIE_SECRET: "a cookie secret for the compatibility tests, long enough for anyone",
}

let postgres

/** Returns true if installations on this kind of database can be had. Starts the private cluster. */
export async function isAvailable(database) {
  if (database === "sqlite") return true
  postgres ??= await findPostgres()
  // Test files run in processes of their own and share the cluster.
  if (postgres) process.env.TEST_DATABASE_URL = postgres
  return postgres !== null
}

/**
 * @param {"sqlite" | "postgres"} database
 * @param {Record<string, string>} settings more of the server's environment
 * @returns {Promise<object>} `address`, `url`, `server`, `credentials`, and `dispose()`
 */
export async function install(database, settings = {}) {
  if (!(await isAvailable(database)))
    throw new Error("no Postgres: neither TEST_DATABASE_URL nor its binaries are there")
  const folder = scratchFolder(database)
  const url = database === "sqlite" ? await filledDatabase(folder, SECRETS) : await restoredDatabase(postgres)
  const server = await startServer({ ...SECRETS, ...settings, DATABASE_URL: url }, { folder })
  const credentials = await Credentials.logIn(server.address, creds).catch(async (error) => {
    await server.stop()
    throw error
  })
  const dispose = async () => {
    await server.stop()
    if (database === "postgres") await dropDatabase(postgres, url)
  }
  return { database, address: server.address, url: server.url, server, credentials, dispose }
}

/**
 * A server with demo data in an otherwise empty SQLite database, as `make run` starts it.
 *
 * @param {Record<string, string>} settings more of its environment
 * @param {number} [port] a free one when not given
 */
export async function installDemo(settings = {}, port) {
  const folder = scratchFolder("demo")
  const demo = { ...SECRETS, PUSHER_LITE_DEMO: "true", DATABASE_URL: `sqlite://${folder}/pusher-lite.db` }
  const server = await startServer({ ...demo, ...settings }, { folder, port })
  return { address: server.address, url: server.url, server, dispose: () => server.stop() }
}
