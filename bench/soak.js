// `make soak`: sockets come and go for a long time. Fails if memory, descriptors, tasks or what the server keeps of sockets and
// topics is more at the end than after warming up, if anything is left once everybody has gone, or if clients of some kind did
// not get in or heard nothing.

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
/** Seconds between readings. */
const READ_EVERY = 5
/** Readings that a mean is taken of: a minute's, so that it does not matter which sessions are just being swept. */
const READINGS = 12
/** Sessions that nobody polls end after 30 s at most, kept connections 30 s after their last request. */
const GONE_WITHIN = 90_000

if (!(warmUp > 0 && minutes > warmUp)) throw new Error("wants to warm up for a while, and to run for longer than that")

const binary = process.env.PUSHER_LITE_BIN ?? path.join(import.meta.dirname, "../target/release/pusher-lite")
const metricsPort = await freePort()
const settings = { PUSHER_LITE_METRICS_LISTEN: `127.0.0.1:${metricsPort}`, PUSHER_LITE_TRUSTED_PROXIES: "127.0.0.1" }
const server = await startOurs(binary, [], settings)
const metrics = `http://127.0.0.1:${metricsPort}/metrics`
const params = { app_key: server.appKey, guardian_token: server.jwt }
const crowd = new Crowd({ http: server.http, appKey: server.appKey, params }, { topics: number("topics") })
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.stop().finally(() => process.exit(1)))
const failures = await soak().finally(() => server.stop())
for (const failure of failures) console.error(`FAILED: ${failure}`)
process.exit(failures.length > 0 ? 1 : 0)

/** @returns {Promise<string[]>} what was not as it should be */
async function soak() {
  print("second", SIZES.map(({ name }) => name))
  const before = await read("before")
  const churn = churning()
  const baseline = await churn(warmUp * 60)
  show("baseline", baseline)
  const end = await churn(minutes * 60)
  show("end", end)
  crowd.go(crowd.size)
  const after = await gone(before)
  show("gone", after)
  for (const { name, came, joined, heard } of crowd.kinds) console.log(`${name}: ${joined} of ${came} joined, heard ${heard} events`)
  return [
    ...grown(baseline, end).map((size) => `${size} is more than after ${warmUp} minutes`),
    ...left(before, after).map((size) => `${size} is more than before anybody came, though all have gone`),
    ...crowd.kinds.filter(({ failed }) => failed > 0).map(({ name, failed }) => `${failed} clients over ${name} did not get in`),
    ...crowd.kinds.filter(({ heard }) => heard === 0).map(({ name }) => `clients over ${name} heard nothing`),
  ]
}

/**
 * Has clients come and go, as many as are due by the clock: how fast the machine is does not matter.
 *
 * @returns {(until: number) => Promise<Record<string, number>>} goes on until that second; returns the mean of the last readings
 */
function churning() {
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  let [done, second] = [0, 0]
  return async (until) => {
    const readings = []
    for (; second < until; second++) {
      await sleep(Math.max(0, (second - seconds()) * 1000))
      const due = Math.floor(seconds() * perSecond) - done
      // After a standstill more may be due than there are.
      crowd.go(Math.min(crowd.size, Math.max(0, crowd.size + due - sockets)))
      crowd.come(Math.min(due, sockets - crowd.size))
      done += due
      crowd.push(PUSHES)
      if (second % READ_EVERY === 0) readings.push(second % 60 === 0 ? await read(second) : await readSizes(metrics))
    }
    return mean(readings.slice(-READINGS))
  }
}

/** Waits until nothing is left of those who have gone, or for long enough. */
async function gone(before) {
  const deadline = performance.now() + GONE_WITHIN
  let sizes = await readSizes(metrics)
  while (left(before, sizes).length > 0 && performance.now() < deadline) {
    await sleep(1000)
    sizes = await readSizes(metrics)
  }
  return sizes
}

async function read(when) {
  const sizes = await readSizes(metrics)
  show(when, sizes)
  return sizes
}

function show(when, sizes) {
  print(when, SIZES.map(({ name }) => sizes[name].toFixed(1)))
}

function print(first, cells) {
  console.log([first, ...cells].map((cell) => String(cell).padStart(15)).join(""))
}
