// `make bench`: runs the scenarios against our server and the null server in turn, and prints and stores what came of it.

import { execFileSync, spawn, spawnSync } from "node:child_process"
import fs from "node:fs"
import os from "node:os"
import path from "node:path"
import { parseArgs } from "node:util"
import { SCENARIOS } from "./scenarios.js"
import { LOADGEN, another, startNull, startOurs } from "./servers.js"
import { summarize, tableOf } from "./table.js"

const HERE = import.meta.dirname
const USAGE = `node run.js [OPTIONS] [-- LOADGEN OPTIONS]

  --rounds N      rounds (3); the medians count
  --tries N       runs at most, while others take more than a tenth of the machine (3)
  --growth        how costs grow with the number of sockets, instead of the scenarios that have targets
  --only A,B      these scenarios: ${SCENARIOS.map(({ name }) => name).join(", ")}
  --binary PATH   our server (../target/release/pusher-lite)
  --url URL       instead of ours, a server that runs already: ws://127.0.0.1:4000/socket/websocket
  --output PATH   where the results are stored (results/bench.json, and .md beside it)

With --url, the load generator's options say as whom to connect, and whose CPU and memory to read:

  node run.js --url ws://127.0.0.1:4000/socket/websocket -- --server-pid PID --server-tree --topic 'room:{t}'
`

/** Seconds that a crowd may take longer to connect than its rate says. */
const CONNECTING = 6

/** With everything going well no scenario takes half as long. */
const LIMIT = 300_000

const { options, more } = readOptions()
await main()

async function main() {
  const scenarios = SCENARIOS.filter(({ name, needs }) => options.only.includes(name) && !(needs && options.url))
  const runs = []
  const add = (round, scenario, server, run) => {
    runs.push({ round, scenario: scenario.name, server, ...run })
    store(scenarios, runs)
  }
  for (let round = 1; round <= options.rounds; round++) {
    for (const scenario of scenarios) {
      const ours = await measure(scenario, options.url ? () => another(options.url, more) : () => startOurs(options.binary))
      add(round, scenario, "ours", ours)
      if (scenario.needs) continue
      const nil = await measure(scenario, startNull, ours.result)
      add(round, scenario, "null", nil)
    }
  }
  console.log(`\n${store(scenarios, runs)}`)
}

/** Stores the results so far, so that an interruption loses nothing. Returns the table. */
function store(scenarios, runs) {
  const summary = summarize(scenarios, runs)
  const table = `${machine()}\n\n${tableOf(summary)}`
  fs.mkdirSync(path.dirname(options.output), { recursive: true })
  const results = { machine: machine(), date: new Date().toISOString(), summary, runs }
  fs.writeFileSync(options.output, JSON.stringify(results, null, 1))
  fs.writeFileSync(`${options.output.replace(/\.json$/, "")}.md`, table)
  return table
}

/** One scenario against one server, which is a new one for each try. */
async function measure(scenario, start, ours) {
  for (let attempt = 1; ; attempt++) {
    const target = await start()
    const args = ours && scenario.nullArgs ? scenario.nullArgs(ours) : scenario.args(target)
    const who = ours ? "null" : "ours"
    const crowd = scenario.beside && (await besides(target, scenario.beside()))
    try {
      const run = loadgen([args[0], ...target.args, ...args.slice(1)], `${scenario.name} ${who}`)
      // Another load of ours is no disturbance.
      if (scenario.beside) run.result.noisy = false
      if (!run.result.noisy || attempt >= options.tries) return run
    } finally {
      crowd?.kill("SIGKILL")
      await target.stop()
    }
  }
}

/**
 * Starts another load on a topic of its own. It has all the time that it needs to connect. Its clients, which would be on other
 * machines, give way to the server and to what is measured.
 */
async function besides(target, [scenario, ...args]) {
  const common = target.args.map((argument) => argument.replace("room{t}", "crowd"))
  const child = spawn("nice", ["-n", "19", LOADGEN, scenario, ...common, ...args], { stdio: "ignore" })
  const sockets = Number(args[args.indexOf("-n") + 1])
  const rate = Number(args[args.indexOf("--connect-rate") + 1])
  await new Promise((resolve) => setTimeout(resolve, (sockets / rate + CONNECTING) * 1000))
  return child
}

function loadgen(args, label) {
  const file = path.join(os.tmpdir(), `pusher-lite-bench-${process.pid}.json`)
  const { status, stderr } = spawnSync(LOADGEN, [...args, "--label", label, "--json", file], { encoding: "utf8", timeout: LIMIT })
  if (!fs.existsSync(file)) throw new Error(`${label}: the load generator ended with ${status}\n${stderr}`)
  const { result } = JSON.parse(fs.readFileSync(file, "utf8"))
  fs.rmSync(file)
  console.log(`${label}: ${result.noisy ? "noisy" : "quiet"}${status === 0 ? "" : `, exit ${status}`}`)
  return { status, result }
}

function machine() {
  const { model } = os.cpus()[0]
  const descriptors = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim()
  const gigabytes = Math.round(os.totalmem() / 2 ** 30)
  return `${os.cpus().length} cores (${model.trim()}), ${gigabytes} GB, Linux ${os.release()}, ${descriptors} descriptors per process`
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ rounds: { type: "string", default: "3" }, only: { type: "string" }, url: { type: "string" } },
      ...{ binary: { type: "string", default: path.join(HERE, "../target/release/pusher-lite") } },
      ...{ output: { type: "string", default: path.join(HERE, "results/bench.json") }, help: { type: "boolean" } },
      growth: { type: "boolean" },
      tries: { type: "string", default: "3" },
    },
  })
  const names = SCENARIOS.map(({ name }) => name)
  const standard = SCENARIOS.filter(({ series }) => Boolean(series) === Boolean(values.growth)).map(({ name }) => name)
  const only = values.only?.split(",") ?? standard
  const unknown = only.find((name) => !names.includes(name))
  const rounds = Number(values.rounds)
  if (values.help || unknown || !(rounds >= 1)) {
    console.error(unknown ? `there is no scenario ${unknown}\n\n${USAGE}` : USAGE)
    process.exit(values.help ? 0 : 2)
  }
  return { options: { ...values, only, rounds, tries: Number(values.tries) }, more: positionals }
}
