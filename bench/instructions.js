// `make bench-instructions`: counts the instructions that our server takes for a message delivered, a socket joined and an
// event published through REST, and fails if there are many more than in instructions.json. Unlike times, they hardly depend
// on the machine and its load.
//
// The server runs under callgrind, which writes a count whenever it is told to. Messages are published so slowly that the one before
// has been delivered to all, and every socket joins a topic of its own, so that nothing depends on what comes together.
// Valgrind shows programs a processor of its own, so that code which is chosen by processor is the same on all of one
// architecture that have AVX2.

import { execFileSync, spawnSync } from "node:child_process"
import fs from "node:fs"
import os from "node:os"
import path from "node:path"
import { LOADGEN, startOurs } from "./servers.js"

const HERE = import.meta.dirname
const STORED = path.join(HERE, "instructions.json")

/** By so much a count may exceed the stored one. Repeated counts of one binary differ by less than a twentieth. */
const SLACK = 1.2

/** Number of counts, of which the middle one is used. Work that depends on the clock makes for outliers both ways. */
const REPEATED = 3

const SOCKETS = 300
/** Few: how often they are told of each other while they join goes by the clock, and counts. */
const SUBSCRIBERS = 20
const MESSAGES = { few: 50, many: 650 }
const REQUESTS = { few: 100, many: 600 }

/** A message takes a server under callgrind a millisecond or two. */
const SLOWLY = ["--rate", "100"]
const ONE_AFTER_ANOTHER = ["--rate", "0", "--inflight", "1"]

const binary = process.env.PUSHER_LITE_BIN ?? path.join(HERE, "../target/release/pusher-lite")
if (spawnSync("valgrind", ["--version"]).status !== 0) {
  console.error("valgrind is not installed: its Debian package is valgrind")
  process.exit(2)
}
const counts = await count()
report(counts)

async function count() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pusher-lite-callgrind-"))
  const output = path.join(folder, "count")
  // One worker: how work is spread over threads is chance.
  process.env.TOKIO_WORKER_THREADS = "1"
  // The allocator would give memory back at times that depend on the clock.
  process.env._RJEM_MALLOC_CONF = "background_thread:false,dirty_decay_ms:-1,muzzy_decay_ms:-1"
  const target = await startOurs(binary, ["valgrind", "--quiet", "--tool=callgrind", `--callgrind-out-file=${output}`])
  let dumps = 0
  const instructions = (...args) => {
    execFileSync(LOADGEN, [args[0], ...target.args, ...args.slice(1)], { stdio: "ignore" })
    execFileSync("callgrind_control", ["--dump", String(target.pid)], { stdio: "ignore" })
    return total(`${output}.${++dumps}`)
  }
  const join = () => instructions("idle", "-n", `${SOCKETS}`, "--topics", `${SOCKETS}`, ..."--settle 0 --hold 0".split(" "))
  const fanout = (n, m, ...more) => instructions("fanout", "-n", `${n}`, "-m", `${m}`, "--warmup", "0", ...more)
  const publish = ({ few, many }, n, ...more) => (fanout(n, many, ...more) - fanout(n, few, ...more)) / (n * (many - few))
  const middle = (counted) => Math.round(Array.from({ length: REPEATED }, counted).sort((a, b) => a - b)[(REPEATED - 1) / 2])
  try {
    // The first sockets cost more: there is nothing yet that could be used again.
    join()
    return {
      "connect, join and leave": middle(() => join() / SOCKETS),
      "delivered message": middle(() => publish(MESSAGES, SUBSCRIBERS, ...SLOWLY)),
      "REST publish": middle(() => publish(REQUESTS, 1, ...ONE_AFTER_ANOTHER, ...target.restArgs)),
    }
  } finally {
    await target.stop()
    fs.rmSync(folder, { recursive: true })
  }
}

/** The instructions since the last dump. */
function total(file) {
  const [, count] = /^(?:totals|summary): (\d+)/m.exec(fs.readFileSync(file, "utf8"))
  return Number(count)
}

function report(counts) {
  const all = fs.existsSync(STORED) ? JSON.parse(fs.readFileSync(STORED, "utf8")) : {}
  if (process.argv.includes("--store")) {
    fs.writeFileSync(STORED, `${JSON.stringify({ ...all, [process.arch]: counts }, null, 2)}\n`)
    return console.log(`Stored for ${process.arch}:`, counts)
  }
  const stored = all[process.arch] ?? {}
  for (const [what, counted] of Object.entries(counts)) {
    const verdict = !(what in stored) ? "nothing to compare with" : counted > stored[what] * SLACK ? "too many" : null
    console.log(`${what}: ${counted} instructions, ${stored[what] ?? "none"} stored${verdict ? `: ${verdict}` : ""}`)
    if (verdict) process.exitCode = 1
  }
  if (process.exitCode) console.log("If that is what it costs, store the new counts: node bench/instructions.js --store")
}
