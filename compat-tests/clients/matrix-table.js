// The matrix as Markdown, and its place in the documentation.

import fs from "node:fs"
import path from "node:path"
import { staysAway, stopsWhenRefused, waitsToReconnect } from "./phoenix-client.js"

const ROOT = path.join(import.meta.dirname, "..")
const DOCUMENT = path.join(ROOT, "..", "docs", "clients.md")
const REPORT = path.join(ROOT, "report", "matrix.md")

const [BEGIN, END] = ["<!-- matrix -->\n", "<!-- /matrix -->"]

/** Limitations that an application has to know although it works. */
const NOTES = [
  {
    mark: "¹",
    text: "The client throws `unhandled poll status 403` and does not try again.",
    applies: (check, { version, transport }) => check === "refused connect" && stopsWhenRefused(version, transport),
  },
  {
    mark: "²",
    text:
      "Because of ¹, call `socket.conn.close()` when the new JWT is there: " +
      "the client then connects and joins again.",
    applies: (check, { version, transport }) =>
      check === "new JWT" && stopsWhenRefused(version, transport) && !staysAway(version, transport),
  },
  {
    mark: "³",
    text:
      "After 1, 2, 5, then each 10 seconds, unless the option `reconnectAfterMs` says otherwise; " +
      "later versions try within milliseconds.",
    applies: (check, { version, transport }) =>
      check === "restart" && waitsToReconnect(version) && !staysAway(version, transport),
  },
  {
    mark: "⁴",
    text: "The client does not come back by itself: call `socket.disconnect(() => socket.connect())`.",
    applies: (check, { version, transport }) => ["restart", "new JWT"].includes(check) && staysAway(version, transport),
  },
]

/**
 * @param {string[]} checks the columns
 * @param {{cell: object, errors: Map<string, Error>}[]} results of each cell, by check
 * @returns {string}
 */
export function matrixTable(checks, results) {
  const header = ["phoenix.js", "transport", ...checks]
  const rows = results.map(({ cell, errors }) => [
    cell.version,
    cell.transport,
    ...checks.map((check) => (errors.has(check) ? "**no**" : `yes${marks(check, cell)}`)),
  ])
  const lines = [header, header.map(() => "---"), ...rows].map((columns) => `| ${columns.join(" | ")} |`)
  const notes = NOTES.map(({ mark, text }) => `${mark} ${text}  `)
  return `\n${lines.join("\n")}\n\n${notes.join("\n").trimEnd()}\n\n`
}

const marks = (check, cell) =>
  NOTES.filter(({ applies }) => applies(check, cell))
    .map(({ mark }) => ` ${mark}`)
    .join("")

/** Keeps the table for printing it at the end. */
export function keepTable(table) {
  fs.mkdirSync(path.dirname(REPORT), { recursive: true })
  fs.writeFileSync(REPORT, table)
}

/** @returns {string | null} the kept table, which is forgotten by that */
export function takeTable() {
  if (!fs.existsSync(REPORT)) return null
  const table = fs.readFileSync(REPORT, "utf8")
  fs.rmSync(REPORT)
  return table
}

/** The table as the documentation has it. */
export function documentedTable() {
  const text = fs.readFileSync(DOCUMENT, "utf8")
  const [begin, end] = placeIn(text)
  return text.slice(begin, end)
}

/** Puts the table into the documentation. */
export function documentTable(table) {
  const text = fs.readFileSync(DOCUMENT, "utf8")
  const [begin, end] = placeIn(text)
  fs.writeFileSync(DOCUMENT, text.slice(0, begin) + table + text.slice(end))
}

function placeIn(text) {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no place for the matrix: ${BEGIN.trim()} … ${END}`)
  return [begin + BEGIN.length, end]
}
