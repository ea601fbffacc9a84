// A Postgres to test on: the one of TEST_DATABASE_URL, or a private cluster from the machine's binaries.

import { execFileSync, spawn } from "node:child_process"
import crypto from "node:crypto"
import fs from "node:fs"
import path from "node:path"
import pg from "pg"
import { freePort } from "./free-port.js"
import { atEnd, scratchFolder } from "./scratch.js"
import { FIXTURES } from "./settings.js"

const ACCEPTS_WITHIN = 30_000

/** Postgres refuses to run as root; these users exist for it. */
const UNPRIVILEGED = ["postgres", "nobody"]

/** @returns {Promise<string | null>} the URL of a database to create others from; null when there is no Postgres */
export async function findPostgres() {
  if (process.env.TEST_DATABASE_URL) return process.env.TEST_DATABASE_URL
  const folder = binaryFolder()
  return folder && startCluster(folder)
}

function binaryFolder() {
  const debian = "/usr/lib/postgresql"
  const versions = fs.existsSync(debian) ? fs.readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => path.join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(":"),
  ]
  return folders.find((folder) => fs.existsSync(path.join(folder, "initdb"))) ?? null
}

async function startCluster(binaries) {
  const folder = scratchFolder("postgres")
  const user = process.getuid() === 0 ? unprivilegedUser() : null
  if (user) execFileSync("chown", [user, folder])
  const data = path.join(folder, "data")
  const as = (command, args) =>
    user ? ["setpriv", `--reuid=${user}`, "--clear-groups", "--", command, ...args] : [command, ...args]
  const [initdb, ...initArgs] = as(path.join(binaries, "initdb"), [
    "-D",
    data,
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "-N",
  ])
  execFileSync(initdb, initArgs, { cwd: folder, stdio: "pipe" })
  const port = await freePort()
  const options = [
    "-k",
    folder,
    "-h",
    "127.0.0.1",
    "-p",
    String(port),
    "-F",
    "-c",
    "full_page_writes=off",
    "-c",
    "max_connections=200",
  ]
  const [postgres, ...args] = as(path.join(binaries, "postgres"), ["-D", data, ...options])
  const child = spawn(postgres, args, { cwd: folder, stdio: "ignore" })
  atEnd(() => child.kill("SIGQUIT"))
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await accepts(url)
  return url
}

function unprivilegedUser() {
  const known = fs
    .readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":")[0])
  return UNPRIVILEGED.find((user) => known.includes(user))
}

async function accepts(url) {
  const deadline = Date.now() + ACCEPTS_WITHIN
  for (;;) {
    try {
      return await query(url, "SELECT 1")
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Runs SQL on a connection of its own. */
export async function query(url, sql) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

/**
 * A new database with the original's content in it, removed at the end.
 *
 * @param {string} url of any database there
 * @returns {Promise<string>} its URL
 */
export async function restoredDatabase(url) {
  const name = `pusher_lite_compat_${crypto.randomBytes(6).toString("hex")}`
  await query(url, `CREATE DATABASE ${name}`)
  const created = new URL(url)
  created.pathname = `/${name}`
  await query(created.href, fs.readFileSync(path.join(FIXTURES, "original-database.sql"), "utf8"))
  return created.href
}

/** Drops a database of restoredDatabase, whoever is connected to it. */
export async function dropDatabase(url, database) {
  await query(url, `DROP DATABASE IF EXISTS ${new URL(database).pathname.slice(1)} WITH (FORCE)`)
}
