// The entries of http.json that open a WebSocket: something is taken away, and the sockets that lived by it close.

import { sendRequest } from "../wire/http.js"
import { RawSocket } from "../wire/raw-socket.js"

/** Time that the server has to close a socket that lost its basis, in milliseconds. */
const CLOSES_WITHIN = 5_000

const ENTRIES = {
  "websocket connect with the app_key of an archived application": {
    wanted: { row: "D5", connect: 403 },
    app: "todel",
  },
  "socket of an application that is archived": {
    wanted: { row: "D5", connect: 101, acted: 200, closes: true },
    app: "to archive",
    act: ({ application }) => ["DELETE", `/api/organizations/acme-inc/applications/${application.app_key}`],
  },
  "socket whose token is invalidated": {
    wanted: { row: "D5", connect: 101, acted: 200, closes: true },
    session: "session of the token to invalidate",
    act: ({ token }) => ["DELETE", `/api/users/1/tokens/${token}`],
  },
  // The row it is marked with is about bad input, of which there is none: it stays as it was recorded.
  "socket of an organization that is renamed": {
    wanted: { row: null, connect: 101, acted: 200, closes: false },
    act: () => ["PUT", "/api/organizations/1", { organization: { name: "Acme Renamed" } }],
  },
}

/** @returns {Promise<object>} the verdict on one of these entries */
export async function replaySocketEntry(entry, address, credentials, context, requests) {
  const plan = ENTRIES[entry.name]
  if (!plan) throw new Error(`no way to replay ${entry.name}`)
  const found = recordedThings(plan, requests, context)
  const jwt = found.jwt ?? credentials.get("jwt.admin")
  const appKey = found.application?.app_key ?? credentials.get("app1.app_key")
  const socket = new RawSocket(address)
  try {
    const seen = await seenOn(socket, { plan, found, jwt, appKey, credentials })
    return verdict(plan.wanted, seen)
  } finally {
    socket.destroy()
  }
}

/** Returns the things that earlier entries made: the application of that name, or the token of that session. */
function recordedThings({ app, session }, requests, context) {
  const application = requests.find(({ request }) => request?.json?.application?.name === app && app !== undefined)
  const opened = requests.find(({ name }) => name === session)
  const { app_key } = application?.response.json.data ?? {}
  return {
    application: app_key && { app_key: context.text(app_key) },
    jwt: opened && context.text(opened.response.json.jwt),
    token: opened && context.text(opened.request.body.replace("token=", "")),
  }
}

async function seenOn(socket, { plan, found, jwt, appKey, credentials }) {
  socket.connect(`GET /socket/websocket?app_key=${appKey}&guardian_token=${jwt}&unique_identifier=watched&vsn=1.0.0`)
  const handshake = await next(socket, (entry) => entry.status !== undefined || entry.tcp)
  if (!plan.act || handshake?.status !== 101) return { connect: handshake?.status ?? "closed" }
  const [method, path, json] = plan.act(found)
  const headers = { Authorization: `Bearer ${credentials.get("jwt.admin")}`, "Content-Type": "application/json" }
  const answer = await sendRequest(socket.address, { method, path, headers, body: json ? JSON.stringify(json) : null })
  return { connect: 101, acted: answer.status, closed: await closeCode(socket, plan.wanted.closes) }
}

/** The close code, or null for a socket that is still open: one that should be answers a heartbeat. */
async function closeCode(socket, shouldClose) {
  if (!shouldClose && socket.open) {
    socket.sendText(JSON.stringify({ topic: "phoenix", event: "heartbeat", payload: {}, ref: "alive" }))
  }
  const end = await next(socket, (entry) => entry.op === "close" || entry.tcp || (!shouldClose && entry.op === "text"))
  if (end?.op === "close") return end.code
  return end?.tcp ? "closed without a code" : null
}

/** The first thing received that fits, waiting for it; undefined when it does not come in time. */
export function next(socket, fits) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(undefined), CLOSES_WITHIN)
    const done = (entry) => {
      clearTimeout(timer)
      socket.onReceive(() => {})
      resolve(entry)
    }
    const look = () => {
      const entry = socket.received.find(fits)
      if (entry) done(entry)
    }
    socket.onReceive(look)
    look()
  })
}

function verdict({ row, connect, acted, closes }, seen) {
  const expected = `connect ${connect}, acted ${acted ?? "not"}, ${closes ? "closed with any code" : "open"}`
  const got = `connect ${seen.connect}, acted ${seen.acted ?? "not"}, closed ${seen.closed ?? "not"}`
  const fits =
    seen.connect === connect &&
    seen.acted === acted &&
    (closes ? Number.isInteger(seen.closed) : (seen.closed ?? null) === null)
  if (!fits) return { verdict: "unexpected", row, wrong: `expected ${expected}; got ${got}`, expected, got }
  return row ? { verdict: "difference", row, got } : { verdict: "same", got }
}
