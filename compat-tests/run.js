// `npm test`: everything, or what --only and --grep select. Ends with `N passed, N failed`.

import { parseOptions, USAGE } from "./options.js"
import { DEFAULT_GROUPS } from "./replay/groups.js"
import { totalLine } from "./replay/report.js"
import { runReplays } from "./run-replays.js"
import { runTestFiles } from "./run-test-files.js"
import { givenTarget, inCi } from "./target/settings.js"

const options = parseOptions(process.argv.slice(2))
if (options.help) {
  console.log(USAGE)
  process.exit(0)
}

// A run that is ended early has not passed.
process.exitCode = 1

const groups = options.only ?? DEFAULT_GROUPS
const total = { passed: 0, failed: 0, skipped: 0 }

function add({ passed, failed, skipped }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
}

try {
  if (groups.includes("unit")) add(await runTestFiles("unit", options))
  add(await runReplays(groups, options, givenTarget()))
  for (const folder of ["clients", "browser"]) {
    if (groups.includes(folder)) add(await runTestFiles(folder, options))
  }
} catch (error) {
  console.error(error)
  total.failed += 1
}

if (inCi()) total.failed += total.skipped
console.log(totalLine(inCi() ? { ...total, skipped: 0 } : total))
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0)
