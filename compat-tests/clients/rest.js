import { sendRequest } from "../wire/http.js"

/**
 * Publishes as a backend does.
 *
 * @param {{address: object, credentials: import("../wire/credentials.js").Credentials}} server
 * @returns {Promise<number>} the status of the answer
 */
export async function publish({ address, credentials }, event, json) {
  const path = `/api/organizations/acme-inc/applications/${credentials.get("app1.app_key")}/event/${event}`
  const headers = { Authorization: `Bearer ${credentials.get("jwt.admin")}`, "Content-Type": "application/json" }
  const answer = await sendRequest(address, { method: "POST", path, headers, body: JSON.stringify(json) })
  return answer.status
}
