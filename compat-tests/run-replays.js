// Replays the recordings that were asked for, on each database, and reports.

import fs from "node:fs"
import path from "node:path"
import { replayHttp } from "./replay/http-recordings.js"
import { replayJwt } from "./replay/jwt-recordings.js"
import { groupOfV2, needsOwnServer, withoutLongpoll } from "./replay/groups.js"
import { entryLine, explanation, legend, table } from "./replay/report.js"
import { replayScenario } from "./replay/socket-recordings.js"
import { install, isAvailable } from "./target/installation.js"
import { fixture } from "./target/settings.js"
import { Credentials } from "./wire/credentials.js"

/** Scenarios played at once. */
const AT_ONCE = 24

const REPLAYED = ["http", "jwt", "jwt-longpoll", "ws", "v2", "v2-auth-token", "v2-binary", "v2-longpoll", "longpoll"]

/**
 * @param {string[]} groups
 * @param {object} options of the command line
 * @param {object | null} target a server that runs already
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function runReplays(groups, options, target) {
  const wanted = groups.filter((group) => REPLAYED.includes(group))
  const total = { passed: 0, failed: 0, skipped: 0 }
  if (wanted.length === 0) return total
  const places = target ? [await givenPlace(target)] : options.databases.map((database) => ownPlace(database))
  const results = await Promise.all(places.map((place) => replayAt(place, wanted, options)))
  for (const { place, verdicts, skipped } of results) {
    report(place, verdicts, options)
    total.passed += verdicts.filter(({ verdict }) => verdict !== "unexpected").length
    total.failed += verdicts.filter(({ verdict }) => verdict === "unexpected").length
    total.skipped += skipped
  }
  return total
}

/** One server for everything: what needs a server of its own is left out. */
async function givenPlace({ address, creds }) {
  const credentials = await Credentials.logIn(address, creds)
  const lend = async () => ({ address, credentials, dispose: async () => {} })
  return { name: `${address.host}:${address.port}`, lend, own: false }
}

const ownPlace = (database) => ({ name: database, database, lend: () => install(database), own: true })

async function replayAt(place, groups, options) {
  if (place.database && !(await isAvailable(place.database)))
    return leftOut(place, "neither TEST_DATABASE_URL nor Postgres binaries are there")
  const jobs = [
    replayInOrder(place, groups, options),
    replayScenarios(place, groups, options),
    replayAlone(place, groups, options),
  ]
  const results = await Promise.all(jobs)
  return {
    place,
    verdicts: inOrder(results.flatMap(({ verdicts }) => verdicts)),
    skipped: results.reduce((sum, { skipped }) => sum + skipped, 0),
  }
}

/** As in the recordings, whatever came first. */
function inOrder(verdicts) {
  const files = ["http.json", "jwt.json", "ws.json", "v2.json", "longpoll.json"]
  const classes = files.flatMap((file) => Object.values(fixture(file))[0].map((entry) => `${file} ${entry.class}`))
  const place = ({ file, class: behaviour }) => classes.indexOf(`${file.split(" ")[0]} ${behaviour}`)
  return verdicts.toSorted((a, b) => place(a) - place(b))
}

function leftOut(place, reason) {
  console.log(`left out: ${place.name}: ${reason}`)
  return { place, verdicts: [], skipped: 1 }
}

/** http.json changes what it runs on: it has a server for itself, where our own is started. */
async function replayInOrder(place, groups, options) {
  if (!groups.includes("http")) return { verdicts: [], skipped: 0 }
  const installation = await place.lend()
  try {
    const verdicts = await collect(replayHttp(fixture("http.json").requests, installation))
    // Later requests need the earlier ones, so that all are sent and the selection is of what is told.
    return { verdicts: verdicts.filter(({ name }) => isSelected(name, options)), skipped: 0 }
  } finally {
    await installation.dispose()
  }
}

async function replayScenarios(place, groups, options) {
  const scenarios = scenariosOf(groups, options).filter(({ scenario }) => !needsOwnServer(scenario))
  const cases = fixture("jwt.json").cases.filter((entry) => isSelected(entry.case, options))
  if (scenarios.length === 0 && cases.length === 0) return { verdicts: [], skipped: 0 }
  const installation = await place.lend()
  try {
    const jwt = groups.includes("jwt") ? collect(replayJwt(cases, installation, { longpoll: false })) : []
    const jwtLongpoll = groups.includes("jwt-longpoll")
      ? collect(replayJwt(cases, installation, { longpoll: true }))
      : []
    const played = atOnce(scenarios, ({ scenario, file }) => replayScenario(scenario, { file, ...installation }))
    return { verdicts: (await Promise.all([jwt, jwtLongpoll, played])).flat(), skipped: 0 }
  } finally {
    await installation.dispose()
  }
}

/** Scenarios that stop their server. */
async function replayAlone(place, groups, options) {
  const scenarios = scenariosOf(groups, options).filter(({ scenario }) => needsOwnServer(scenario))
  if (!place.own) {
    for (const { scenario } of scenarios) console.log(`left out: ${scenario.scenario}: needs a server of its own`)
    return { verdicts: [], skipped: scenarios.length }
  }
  const verdicts = []
  for (const { scenario, file } of scenarios) {
    const { address, credentials, server, dispose } = await place.lend()
    const powers = { stop: async () => void server.stop() }
    const steps = groups.includes("v2-longpoll") ? scenario.steps : withoutLongpoll(scenario.steps)
    verdicts.push(await replayScenario({ ...scenario, steps }, { file, address, credentials, powers }))
    await dispose()
  }
  return { verdicts, skipped: 0 }
}

function scenariosOf(groups, options) {
  const ws = fixture("ws.json").scenarios.map((scenario) => ({ scenario, file: "ws.json", group: "ws" }))
  const v2 = fixture("v2.json").scenarios.map((scenario) => ({ scenario, file: "v2.json", group: groupOfV2(scenario) }))
  const longpoll = fixture("longpoll.json").scenarios.map((scenario) => ({
    scenario,
    file: "longpoll.json",
    group: "longpoll",
  }))
  const selected = ({ group, scenario }) => groups.includes(group) && isSelected(scenario.scenario, options)
  // The longest first, so that they do not end alone.
  return [...ws, ...v2, ...longpoll].filter(selected).sort((a, b) => lengthOf(b) - lengthOf(a))
}

const lengthOf = ({ scenario }) => scenario.steps.at(-1).t

const isSelected = (name, { grep }) => grep === null || grep.test(name)

async function collect(verdicts) {
  const collected = []
  for await (const verdict of verdicts) collected.push(verdict)
  return collected
}

async function atOnce(items, work) {
  const results = new Array(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index])
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}

function report(place, verdicts, options) {
  if (verdicts.length === 0) return
  console.log(`\nRecordings on ${place.name}\n`)
  if (options.list) console.log(`${verdicts.map(entryLine).join("\n")}\n`)
  console.log(`${table(verdicts)}\n\n${legend(verdicts)}`)
  const unexpected = verdicts.filter(({ verdict }) => verdict === "unexpected")
  for (const entry of unexpected) console.log(`\n${explanation(entry, options.verbose)}`)
  const folder = path.join(import.meta.dirname, "report")
  fs.mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${place.name.replace(/\W/g, "-")}.txt`)
  fs.writeFileSync(file, `${verdicts.map(entryLine).join("\n")}\n`)
  console.log(
    `\n${place.name}: ${verdicts.length} entries, ${unexpected.length} unexpected; each of them is in ${path.relative(process.cwd(), file)}`,
  )
}
