// The command line.

import { parseArgs } from "node:util"
import { GROUPS } from "./replay/groups.js"
import { DATABASES } from "./target/installation.js"

export const USAGE = `npm test -- [options]

  --only=LIST       groups to run, separated by commas: ${GROUPS.join(", ")}
  --grep=REGEXP     only entries, scenarios and tests whose name matches
  --database=NAME   ${DATABASES.join(" or ")}; both when not given
  --list            print a line for every entry of the recordings
  --write-matrix    write the matrix of versions and transports into ../docs/clients.md, rather than compare it
  --verbose         for what is unexpected, print all that was expected and all that came
  --help            this text

Environment:
  TARGET_URL          a running server to test, on a fresh copy of the recorded database; else our own binary is started
  TARGET_CREDENTIALS  its credentials, a file like fixtures/creds.json (the default)
  PUSHER_LITE_BIN     the binary to start; ../target/release/pusher-lite or ../target/debug/pusher-lite when not given
  TEST_DATABASE_URL   a Postgres to create databases in; else a private cluster is started from the machine's binaries
  CHROMIUM_PATH       the browser; /usr/bin/chromium when not given
  CI                  when set, nothing is left out: what is missing fails`

/** @param {string[]} args */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      grep: { type: "string" },
      database: { type: "string" },
      list: { type: "boolean", default: false },
      "write-matrix": { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  })
  return {
    ...values,
    only: values.only && known(values.only.split(","), GROUPS, "group"),
    grep: values.grep === undefined ? null : new RegExp(values.grep),
    databases: values.database ? known([values.database], DATABASES, "database") : DATABASES,
  }
}

function known(names, all, what) {
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) {
    console.error(`no ${what} is called ${unknown}: ${all.join(", ")}`)
    process.exit(2)
  }
  return names
}
