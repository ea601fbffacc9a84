// The proxies of deploy/, with their configurations changed in what a test cannot have: ports, paths, users.

import { spawn } from "node:child_process"
import fs from "node:fs"
import net from "node:net"
import path from "node:path"
import { freePort } from "../target/free-port.js"
import { atEnd, scratchFolder } from "../target/scratch.js"
import { makeCertificate } from "./certificate.js"

const DEPLOY = path.join(import.meta.dirname, "../../deploy")
const STARTED_WITHIN = 10_000

/** The program of each kind, and the function that adapts its configuration to a test. */
const KINDS = {
  nginx: { program: "/usr/sbin/nginx", prepare: nginx },
  HAProxy: { program: "/usr/sbin/haproxy", prepare: haproxy },
  Caddy: { program: "/usr/bin/caddy", prepare: caddy },
}

export const PROXIES = Object.keys(KINDS)

/** @returns {string | undefined} why this proxy cannot be run here */
export function missing(name) {
  return fs.existsSync(KINDS[name].program) ? undefined : `${KINDS[name].program} is not installed`
}

/**
 * @param {string} name one of PROXIES
 * @param {number[]} servers the ports of pusher-lite, and of the one that takes over from it
 * @returns {Promise<{url: string, plainPort: number, ca: string, log: string, stop: () => void}>}
 */
export async function startProxy(name, servers) {
  const { program, prepare } = KINDS[name]
  const folder = scratchFolder(name)
  const certificate = makeCertificate(folder)
  const ports = { plain: await freePort(), tls: await freePort(), servers }
  // Files that they would keep in a home directory come into the folder.
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const child = spawn(program, prepare(folder, certificate, ports), { env, stdio: ["ignore", "pipe", "pipe"] })
  atEnd(() => child.kill())
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text))
  const log = () => output + (fs.existsSync(accessLog(folder)) ? fs.readFileSync(accessLog(folder), "utf8") : "")
  await listening(ports.tls, child, log)
  const stop = () => child.kill()
  return { url: `https://localhost:${ports.tls}`, plainPort: ports.plain, ca: certificate.pem, stop, get log() { return log() } }
}

/** Access log of nginx and Caddy: their output is no file that nginx could open. */
const accessLog = (folder) => path.join(folder, "access.log")

/** Replaces every text of `pairs` in a file of deploy/; each has to be there. */
function adapt(name, pairs) {
  let text = fs.readFileSync(path.join(DEPLOY, name), "utf8")
  for (const [from, to] of pairs) {
    if (!text.includes(from)) throw new Error(`deploy/${name} has no ${from}`)
    text = text.replaceAll(from, to)
  }
  return text
}

function nginx(folder, { certificate, key }, { plain, tls, servers }) {
  const site = adapt("nginx.conf", [
    ["127.0.0.1:4000", `127.0.0.1:${servers[0]}`],
    ["127.0.0.1:4001", `127.0.0.1:${servers[1]}`],
    ["listen 80;", `listen 127.0.0.1:${plain};`],
    ["listen [::]:80;", ""],
    ["listen 443 ssl http2;", `listen 127.0.0.1:${tls} ssl http2;`],
    ["listen [::]:443 ssl http2;", ""],
    ["/etc/letsencrypt/live/chat.example.com/fullchain.pem", certificate],
    ["/etc/letsencrypt/live/chat.example.com/privkey.pem", key],
    ["/var/log/nginx/pusher-lite.log", accessLog(folder)],
    ["server_name chat.example.com;", "server_name localhost;"],
  ])
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  const paths = temporary.map((what) => `${what}_temp_path ${folder}/${what};`).join("\n")
  const main = `daemon off;\npid ${folder}/pid;\nerror_log stderr warn;\nevents {}\nhttp {\n${paths}\n${site}\n}\n`
  // Workers of another user could not use the folder.
  const user = process.getuid() === 0 ? "user root;\n" : ""
  const file = path.join(folder, "nginx.conf")
  fs.writeFileSync(file, user + main)
  return ["-c", file, "-e", "stderr"]
}

function haproxy(folder, { both }, { plain, tls, servers }) {
  const text = adapt("haproxy.cfg", [
    ["127.0.0.1:4000", `127.0.0.1:${servers[0]}`],
    ["127.0.0.1:4001", `127.0.0.1:${servers[1]}`],
    ["log /dev/log local0", "log stdout format raw local0"],
    ["user haproxy\n", "\n"],
    ["group haproxy\n", "\n"],
    ["maxconn 100000", "maxconn 1000"],
    ["bind :80\n", `bind 127.0.0.1:${plain}\n`],
    ["bind :443 ", `bind 127.0.0.1:${tls} `],
    ["/etc/haproxy/certs/", both],
  ])
  const file = path.join(folder, "haproxy.cfg")
  fs.writeFileSync(file, text)
  return ["-db", "-f", file]
}

/** Without its administration, which has one port for all. With a certificate of its own it fetches nothing. */
function caddy(folder, { certificate, key }, { plain, tls, servers }) {
  const text = adapt("Caddyfile", [
    ["127.0.0.1:4000", `127.0.0.1:${servers[0]}`],
    ["127.0.0.1:4001", `127.0.0.1:${servers[1]}`],
    ["chat.example.com {", `localhost {\n\ttls ${certificate} ${key}`],
    ["/var/log/caddy/pusher-lite.log", accessLog(folder)],
  ])
  const options = ["admin off", `http_port ${plain}`, `https_port ${tls}`, "default_bind 127.0.0.1"]
  const file = path.join(folder, "Caddyfile")
  fs.writeFileSync(file, `{\n\t${options.join("\n\t")}\n}\n${text}`)
  return ["run", "--adapter", "caddyfile", "--config", file]
}

/** Resolves when the proxy takes connections. */
async function listening(port, child, log) {
  const deadline = Date.now() + STARTED_WITHIN
  while (child.exitCode === null && Date.now() < deadline) {
    if (await connects(port)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the proxy ${child.exitCode === null ? "does not listen" : "has ended"}:\n${log()}`)
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1")
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })
}
