// Answers to REST requests that several rows of DIFFERENCES.md ask for.

import { matching, oneOf, someMessages, someText } from "../replay/match.js"

export const JSON_TYPE = "application/json; charset=utf-8"
export const HTML_TYPE = "text/html; charset=utf-8"
export const TEXT_TYPE = "text/plain; charset=utf-8"

/** An error that says in words what was wrong. */
export const detail = (status) => ({ status, type: JSON_TYPE, json: { errors: { detail: someText } } })

/** An error page for people. */
export const page = (status) => ({ status, type: HTML_TYPE, text: aPage })

const aPage = matching("an HTML page", (text) => /<!doctype html/i.test(text))

/** The permission is missing. */
export const forbidden = { status: 401, type: JSON_TYPE, json: { errors: { token: ["forbidden"] } } }

/** Nobody is signed in; as text unless the request asks for JSON. */
export const unauthenticated = { status: 401, type: TEXT_TYPE, text: "Unauthenticated" }

/** Validation errors, each field with its messages. */
export const invalid = (errors) => ({ status: 422, type: JSON_TYPE, json: { errors } })

export const taken = ["has already been taken"]

/** Any messages for the first of `fields`; the others may have some too. */
export function messagesFor(field, ...others) {
  const alone = { [field]: someMessages }
  return others.length === 0 ? alone : oneOf(alone, { [field]: someMessages, [others[0]]: someMessages })
}
