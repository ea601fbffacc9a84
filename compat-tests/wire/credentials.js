// Puts real credentials where the recordings have placeholders.

import { sendRequest } from "./http.js"
import { signJwt, standardClaims } from "./jwt.js"

/** Users whose JWT the recordings get from `POST /api/sessions`, as they are named in placeholders. */
const SESSION_USERS = ["admin", "plainadmin", "member", "mixed", "lone"]

const HS512 = { alg: "HS512", typ: "JWT" }

export class Credentials {
  #values

  /** @param {Map<string, string>} values placeholder without braces -> value */
  constructor(values, secret) {
    this.#values = values
    this.secret = secret
  }

  /**
   * Logs every user in on the server.
   *
   * @param {{host: string, port: number}} address
   * @param {object} creds the content of `creds.json`
   */
  static async logIn(address, creds) {
    const values = new Map([["host", `${address.host}:${address.port}`]])
    for (const [name, app] of Object.entries(creds.apps)) {
      for (const [key, value] of Object.entries(app)) values.set(`${name}.${key}`, String(value))
    }
    for (const [name, { token }] of Object.entries(creds.tokens)) values.set(`token.${name}`, token)
    for (const [name, jwt] of Object.entries(creds.jwts)) values.set(`jwt.${name}`, jwt)
    for (const name of SESSION_USERS) values.set(`jwt.${name}`, await session(address, creds.tokens[name].token))
    values.set("jwt.joinonly", signJwt(HS512, standardClaims(1, { default: 1 }), creds.guardian_secret))
    values.set("jwt.admin_base64", Buffer.from(values.get("jwt.admin")).toString("base64").replace(/=+$/, ""))
    return new Credentials(values, creds.guardian_secret)
  }

  /** One value, by its placeholder's name. */
  get(name) {
    const value = this.#values.get(name)
    if (value === undefined) throw new Error(`no credential is called {${name}}`)
    return value
  }

  /** @param {string} text */
  fill(text) {
    return text.replace(/\{([a-z]+[0-9]?(?:\.[a-z_0-9]+)?)\}/g, (whole, name) => this.#values.get(name) ?? whole)
  }

  /** Fills every string and key of a JSON value. Other values, such as matchers, stay as they are. */
  fillJson(value) {
    if (typeof value === "string") return this.fill(value)
    if (Array.isArray(value)) return value.map((item) => this.fillJson(item))
    if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.fill(key), this.fillJson(item)]))
  }
}

async function session(address, token) {
  const answer = await sendRequest(address, {
    method: "POST",
    path: "/api/sessions",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  })
  if (answer.status !== 201) throw new Error(`POST /api/sessions answered ${answer.status}: ${answer.body}`)
  return JSON.parse(answer.body).jwt
}
