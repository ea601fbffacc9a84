// A SQLite database with the rows of the original's: our own schema, filled with the INSERTs of the dump.

import fs from "node:fs"
import path from "node:path"
import initSqlJs from "sql.js"
import { runToEnd } from "./server-process.js"
import { FIXTURES } from "./settings.js"

/** Bytes of a database file that tell whether it uses a write-ahead log (2) or not (1): read and write version. */
const JOURNAL_BYTES = [18, 19]

/**
 * @param {string} folder where the file is to be
 * @param {Record<string, string>} secrets settings that every command of the binary needs
 * @returns {Promise<string>} its URL
 */
export async function filledDatabase(folder, secrets) {
  const file = path.join(folder, "pusher-lite.db")
  const url = `sqlite://${file}`
  await runToEnd(["migrate"], { ...secrets, DATABASE_URL: url }, folder)
  const sql = await initSqlJs()
  const database = new sql.Database(withoutLog(file))
  const tables = new Set(database.exec("SELECT name FROM sqlite_master WHERE type = 'table'")[0].values.flat())
  for (const insert of insertsOfDump(tables)) database.run(insert)
  // As the migrator records a database of the original, which was there before this server.
  database.run("UPDATE installation SET is_new = 0")
  fs.writeFileSync(file, database.export())
  return url
}

/** The file as sql.js can read it, which knows no write-ahead log. The binary left none: it was the only one connected. */
function withoutLog(file) {
  const log = `${file}-wal`
  if (fs.existsSync(log) && fs.statSync(log).size > 0) throw new Error(`${log} is not empty after migrating`)
  for (const leftover of [log, `${file}-shm`]) fs.rmSync(leftover, { force: true })
  const bytes = fs.readFileSync(file)
  for (const at of JOURNAL_BYTES) bytes[at] = 1
  return bytes
}

/** The dump's INSERTs, with their columns named, for the tables that are here too. */
function insertsOfDump(tables) {
  const dump = fs.readFileSync(path.join(FIXTURES, "original-database.sql"), "utf8")
  const columns = new Map()
  for (const [, table, body] of dump.matchAll(/CREATE TABLE public\.(\w+) \(\n(.*?)\n\);/gs)) {
    columns.set(
      table,
      body.split("\n").map((line) => line.trim().split(" ")[0]),
    )
  }
  const inserts = [...dump.matchAll(/^INSERT INTO public\.(\w+) VALUES (\(.*\));$/gm)]
  return inserts
    .filter(([, table]) => tables.has(table))
    .map(([, table, values]) => `INSERT INTO ${table} (${columns.get(table).join(", ")}) VALUES ${values}`)
}
