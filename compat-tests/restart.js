// `npm run restart -- --clients=5000`: rehearses a restart under load and prints what came of it.

import { parseArgs } from "node:util"
import { rehearse } from "./restart/rehearsal.js"

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "5000" },
    processes: { type: "string", default: "4" },
    window: { type: "string", default: "10" },
  },
})
const [clients, processes, window] = [values.clients, values.processes, values.window].map(Number)
const outcome = await rehearse({ clients, processes, window })
console.log(outcome)
const isSound = outcome.exitCode === 0 && outcome.refusals.length === 0 && outcome.rejoined <= window + 10
console.log(isSound ? "Everybody was back in time, and nobody was refused." : "NOT as it should be.")
process.exit(isSound ? 0 : 1)
