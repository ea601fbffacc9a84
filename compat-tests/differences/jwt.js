// Values that the rows of DIFFERENCES.md ask for in jwt.json: for each column, the right ones.

import { someText } from "../replay/match.js"
import { JSON_TYPE, detail, forbidden, unauthenticated } from "./answers.js"

const refusedConnect = [403]

/** D1: a clear 4xx instead of a crash. A subject that is nobody cannot sign in, or is not found. */
const nobody = [detail(404), unauthenticated]
const unusableSubject = {
  organizations_index: nobody,
  applications_index: nobody,
  organization_update_noop: nobody,
  websocket_connect: refusedConnect,
}

/** D1: permissions that cannot be read are none. What needs none is answered as recorded. */
const unusablePermissions = {
  applications_index: [forbidden],
  organization_update_noop: [forbidden],
  websocket_connect: refusedConnect,
}

/** D43: a refused long-poll connect has a reason. */
const refusedLongpoll = [{ status: 200, type: JSON_TYPE, json: { status: 403, reason: someText } }]

/** case -> row and column -> values that are right. Other columns are as recorded. */
const WANTED = {
  "sub unknown user": { row: "D1", columns: unusableSubject },
  "sub garbage": { row: "D1", columns: unusableSubject },
  "sub missing": { row: "D1", columns: unusableSubject },
  "pem null": { row: "D1", columns: unusablePermissions },
  "pem string number": { row: "D1", columns: unusablePermissions },
  "pem default 1 (join only)": { row: "D6", columns: { websocket_push_is_broadcast: [false] } },
  // Not marked, though the names do not include send_message: either is taken as right.
  "pem list of names": { row: "D6", columns: { websocket_push_is_broadcast: [false, true] } },
}

/**
 * @param {object} entry of jwt.json
 * @param {boolean} longpoll whether the column of long-polling is asked, or all others
 * @returns {{row: string, columns: Record<string, unknown[]>} | undefined}
 */
export function wantedOf({ case: name, differs = [] }, longpoll) {
  if (longpoll && differs.includes("D43")) return { row: differs.join(","), columns: { longpoll_open: refusedLongpoll } }
  if (differs.some((row) => row !== "D43") && !WANTED[name]) throw new Error(`differences/jwt.js has nothing for ${name}`)
  return WANTED[name]
}
