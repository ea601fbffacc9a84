// `make bench-instructions`: counts the instructions that our server takes for a message delivered and for a socket joined,
// and fails if there are many more than in instructions.json. Unlike times, they hardly depend on the machine and its load.
//
// The server runs under callgrind, which writes a count whenever it is told to. A message is published when the one before
// has been delivered to all, and every socket joins a topic of its own, so that nothing depends on what comes together.

import { execFileSync } from "node:child_process"
import fs from "node:fs"
import os from "node:os"
import path from "node:path"
import { LOADGEN, startOurs } from "./servers.js"

const HERE = import.meta.dirname
const STORED = path.join(HERE, "instructions.json")

/** By so much a count may exceed the stored one. Repeated counts of one binary differ by less than a tenth. */
const SLACK = 1.15

const SOCKETS = 300
const SUBSCRIBERS = 100
const MESSAGES = { few: 50, many: 450 }

const binary = process.env.PUSHER_LITE_BIN ?? path.join(HERE, "../target/release/pusher-lite")
const counts = await count()
report(counts)

async function count() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pusher-lite-callgrind-"))
  const output = path.join(folder, "count")
  // One worker: how work is spread over threads is chance.
  process.env.TOKIO_WORKER_THREADS = "1"
  const target = await startOurs(binary, ["valgrind", "--quiet", "--tool=callgrind", `--callgrind-out-file=${output}`])
  let dumps = 0
  const instructions = (...args) => {
    execFileSync(LOADGEN, [args[0], ...target.args, ...args.slice(1)], { stdio: "ignore" })
    execFileSync("callgrind_control", ["--dump", String(target.pid)], { stdio: "ignore" })
    return total(`${output}.${++dumps}`)
  }
  const join = () => instructions("idle", "-n", `${SOCKETS}`, "--topics", `${SOCKETS}`, ..."--settle 0 --hold 0".split(" "))
  const publish = (messages) =>
    instructions("fanout", "-n", `${SUBSCRIBERS}`, "-m", `${messages}`, ..."--warmup 0 --rate 0 --inflight 1".split(" "))
  try {
    join()
    const joined = join()
    const [few, many] = [publish(MESSAGES.few), publish(MESSAGES.many)]
    return {
      "connect, join and leave": Math.round(joined / SOCKETS),
      "delivered message": Math.round((many - few) / (SUBSCRIBERS * (MESSAGES.many - MESSAGES.few))),
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
  const stored = fs.existsSync(STORED) ? JSON.parse(fs.readFileSync(STORED, "utf8")) : {}
  if (process.argv.includes("--store")) {
    fs.writeFileSync(STORED, `${JSON.stringify(counts, null, 2)}\n`)
  }
  for (const [what, counted] of Object.entries(counts)) {
    const exceeds = counted > stored[what] * SLACK
    console.log(`${what}: ${counted} instructions, ${stored[what]} stored${exceeds ? ": too many" : ""}`)
    if (exceeds && !process.argv.includes("--store")) process.exitCode = 1
  }
  if (process.exitCode) console.log("If that is what it costs, store the new counts: node bench/instructions.js --store")
}
