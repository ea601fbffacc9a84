// `make soak`: sockets come and go for a long time. Fails if memory, descriptors, tasks or what the server keeps of sockets and
// topics is more at the end than after warming up, or if anything is left once everybody has gone.

import path from "node:path"
import { parseArgs } from "node:util"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort, startOurs } from "./servers.js"
import { Crowd } from "./soak/crowd.js"
import { SIZES, grown, left, mean, readSizes } from "./soak/sizes.js"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    "warm-up": { type: "string", default: "5" },
    sockets: { type: "string", default: "2000" },
    "per-second": { type: "string", default: "100" },
    topics: { type: "string", default: "200" },
  },
})
const number = (name) => Number(values[name])
const [minutes, warmUp, sockets, perSecond] = [number("minutes"), number("warm-up"), number("sockets"), number("per-second")]

/** Events that are pushed a second. */
const PUSHES = 100
const READ_EVERY = 5
/** Readings that a mean is taken of. */
const READINGS = 6
/** Sessions that nobody polls end after 30 s. */
const GONE_WITHIN = 45

const binary = process.env.PUSHER_LITE_BIN ?? path.join(import.meta.dirname, "../target/release/pusher-lite")
const metricsPort = await freePort()
const server = await startOurs(binary, [], { PUSHER_LITE_METRICS_LISTEN: `127.0.0.1:${metricsPort}` })
const metrics = `http://127.0.0.1:${metricsPort}/metrics`
const params = { app_key: server.appKey, guardian_token: server.jwt }
const crowd = new Crowd({ http: server.http, appKey: server.appKey, params }, { topics: number("topics") })
let failure = null
try {
  failure = await soak()
} finally {
  await server.stop()
}
if (failure) console.error(`\nFAILED: ${failure}`)
process.exit(failure ? 1 : 0)

async function soak() {
  print("second", ...SIZES.map(({ name }) => name))
  const baseline = await churn(0, warmUp * 60)
  const end = await churn(warmUp * 60, minutes * 60)
  print("baseline", ...SIZES.map(({ name }) => round(baseline[name])))
  print("end", ...SIZES.map(({ name }) => round(end[name])))
  const remaining = await empty()
  print("empty", ...SIZES.map(({ name }) => round(remaining[name])))
  const [more, still] = [grown(baseline, end), left(remaining)]
  if (more.length > 0) return `more than after ${warmUp} minutes: ${more.join(", ")}`
  if (still.length > 0) return `still there when everybody has gone: ${still.join(", ")}`
  return crowd.failed > 0 ? `${crowd.failed} clients did not get in` : null
}

/** Has clients come and go from one second to another; returns the mean of the last readings. */
async function churn(from, to) {
  const readings = []
  for (let second = from; second < to; second++) {
    const began = Date.now()
    crowd.go(Math.max(0, crowd.size + perSecond - sockets))
    crowd.come(Math.min(perSecond, sockets - crowd.size))
    crowd.push(PUSHES)
    if (second % READ_EVERY === 0) {
      readings.push(await readSizes(metrics))
      if (second % 60 === 0) print(second, ...SIZES.map(({ name }) => round(readings.at(-1)[name])))
    }
    await sleep(Math.max(0, 1000 - (Date.now() - began)))
  }
  return mean(readings.slice(-READINGS))
}

/** Has everybody go; returns what is left then. */
async function empty() {
  crowd.go(crowd.size)
  const deadline = Date.now() + GONE_WITHIN * 1000
  let sizes = await readSizes(metrics)
  while (left(sizes).length > 0 && Date.now() < deadline) {
    await sleep(1000)
    sizes = await readSizes(metrics)
  }
  return sizes
}

function print(...cells) {
  console.log(cells.map((cell) => String(cell).padStart(14)).join(""))
}

const round = (value) => Math.round(value * 10) / 10
