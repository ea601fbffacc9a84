// Runs a folder of node:test files, prints what they say and counts.

import fs from "node:fs"
import path from "node:path"
import { run } from "node:test"
import { spec } from "node:test/reporters"
import { takeTable } from "./clients/matrix-table.js"
import { isAvailable } from "./target/installation.js"
import { givenTarget } from "./target/settings.js"

/** Timeout of one file, in milliseconds. */
const FILE_WITHIN = 600_000

/**
 * @param {string} folder of this package
 * @param {object} options of the command line
 * @returns {Promise<{passed: number, failed: number, skipped: number}>} of single tests, suites not counted
 */
export async function runTestFiles(folder, options) {
  // The private cluster is started here, once, for all files.
  if (folder === "clients" && !givenTarget() && options.databases.includes("postgres")) await isAvailable("postgres")
  process.env.COMPAT_DATABASES = options.databases.join(",")
  if (options["write-matrix"]) process.env.COMPAT_WRITE_MATRIX = "1"
  const here = path.join(import.meta.dirname, folder)
  const files = fs
    .readdirSync(here)
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => path.join(here, name))
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const testNamePatterns = options.grep ? [options.grep] : undefined
  // Old clients keep timers after they have disconnected: those must not keep a file's process.
  const forceExit = true
  const stream = run({ files, concurrency: folder === "unit", timeout: FILE_WITHIN, testNamePatterns, forceExit })
  stream.on("test:pass", (event) => {
    // A suite that is left out tells of none of its tests.
    if (event.skip !== undefined) counts.skipped += 1
    else if (isSingle(event)) counts.passed += 1
  })
  const failed = new Set()
  stream.on("test:fail", (event) => {
    // A file that ended early, or never began, has no failed test of its own.
    if (!isSingle(event) && (event.name !== event.file || failed.has(event.file))) return
    failed.add(event.file)
    counts.failed += 1
  })
  console.log(`\n${folder}\n`)
  const printed = stream.compose(spec)
  for await (const text of printed) process.stdout.write(text)
  if (folder === "clients") console.log(takeTable() ?? "")
  return counts
}

/** Not a suite, nor the file as a whole. */
const isSingle = ({ details, file, name }) => details?.type !== "suite" && name !== file
