// Collects verdicts and prints them: a line for each entry, a table by file and class, a total.

import { DIFFERENCES } from "../differences.js"

/** @typedef {{file: string, class: string, name: string, verdict: "same" | "difference" | "unexpected", row?: string}} Verdict */

const COLUMNS = ["same", "difference", "unexpected"]

/** One line: what became of an entry. */
export function entryLine({ file, class: behaviour, name, verdict, row }) {
  const word = verdict === "difference" ? `wanted difference ${row}` : verdict
  return `${word.padEnd(24)} ${file.padEnd(10)} ${behaviour}: ${name}`
}

/** Returns the fault of an unexpected entry; with `verbose`, also all expected and received messages. */
export function explanation(entry, verbose) {
  const lines = [entryLine(entry), ...indented(entry.wrong)]
  if (!verbose) return lines.join("\n")
  if (entry.sent) lines.push(...indented(`sent      ${entry.sent}`))
  if (entry.expected) lines.push(...indented(`expected  ${entry.expected}`))
  if (entry.got) lines.push(...indented(`got       ${entry.got}`))
  for (const lane of entry.lanes ?? []) lines.push(...laneDiff(lane))
  return lines.join("\n")
}

const indented = (text) =>
  String(text ?? "")
    .split("\n")
    .map((line) => `    ${line}`)

function laneDiff({ lane, expected, got }) {
  const lines = [`    ${lane}`]
  for (let i = 0; i < Math.max(expected.length, got.length); i++) {
    if (i < expected.length) lines.push(`      - ${expected[i]}`)
    if (i < got.length) lines.push(`      + ${got[i]}`)
  }
  return lines
}

/** A table: how many of each verdict, by file and class. */
export function table(verdicts) {
  const rows = new Map()
  for (const entry of verdicts) {
    const key = `${entry.file}  ${entry.class}`
    if (!rows.has(key)) rows.set(key, { same: 0, difference: 0, unexpected: 0, rows: new Set() })
    rows.get(key)[entry.verdict] += 1
    if (entry.verdict === "difference") rows.get(key).rows.add(entry.row)
  }
  const width = Math.max(...[...rows.keys()].map((key) => key.length), 10)
  const head = `${"file  behaviour".padEnd(width)}  ${COLUMNS.map((name) => name.padStart(10)).join(" ")}`
  const lines = [...rows].map(([key, counts]) => {
    const numbers = COLUMNS.map((name) => String(counts[name] || "").padStart(10)).join(" ")
    return `${key.padEnd(width)}  ${numbers}  ${[...counts.rows].sort().join(" ")}`.trimEnd()
  })
  return [head, ...lines].join("\n")
}

/** The rows that were met, each with what it asks for. */
export function legend(verdicts) {
  const rows = new Set(
    verdicts.filter(({ row, verdict }) => row && verdict === "difference").flatMap(({ row }) => row.split(",")),
  )
  const number = (row) => Number(row.slice(1))
  const sorted = [...rows].sort((a, b) => number(a) - number(b))
  return sorted.map((row) => `${row.padEnd(4)} ${DIFFERENCES[row].wanted}`).join("\n")
}

/** The closing line. `skipped` is told only where leaving out is allowed. */
export function totalLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`
}
