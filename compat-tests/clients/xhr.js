// The parts of a browser that long-polling needs: `window` (phoenix.js before 1.4) and XMLHttpRequest. As in a browser,
// an exception of a handler is reported and ends nothing.

import { createRequire } from "node:module"
import { Inbox } from "./inbox.js"

const { XMLHttpRequest } = createRequire(import.meta.url)("xhr2")

/** `{url, message}` of everything that handlers of requests threw. */
export const uncaught = new Inbox()

class ReportingXMLHttpRequest extends XMLHttpRequest {
  #url

  open(method, url, ...rest) {
    this.#url = url
    super.open(method, url, ...rest)
  }

  dispatchEvent(event) {
    try {
      super.dispatchEvent(event)
    } catch (error) {
      uncaught.put({ url: this.#url, message: error?.message ?? String(error) })
    }
  }
}

globalThis.XMLHttpRequest = ReportingXMLHttpRequest
globalThis.window ??= globalThis
