// The servers that test files run against: the given one, or our own binary on each database.

import { DATABASES, install, isAvailable } from "../target/installation.js"
import { givenTarget, inCi } from "../target/settings.js"
import { Credentials } from "../wire/credentials.js"

/**
 * @param {string[]} [wanted] databases, when our own binary is started
 * @returns {Promise<{name: string, missing?: string, restarts: boolean, start: () => Promise<object>}[]>}
 */
export async function serversUnderTest(wanted = process.env.COMPAT_DATABASES?.split(",") ?? DATABASES) {
  const target = givenTarget()
  if (target) return [{ name: process.env.TARGET_URL, restarts: false, start: () => given(target) }]
  return Promise.all(
    wanted.map(async (database) => {
      const missing = (await isAvailable(database))
        ? undefined
        : "neither TEST_DATABASE_URL nor Postgres binaries are there"
      return { name: database, missing, restarts: true, start: (settings) => install(database, settings) }
    }),
  )
}

async function given({ address, creds }) {
  const credentials = await Credentials.logIn(address, creds)
  return { address, url: `http://${address.host}:${address.port}`, credentials, dispose: async () => {} }
}

/** For node:test: why something is left out, or false where nothing may be, so that it fails there. */
export const leftOut = (reason) => (reason && !inCi() ? reason : false)
