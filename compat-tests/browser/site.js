// A server with demo data, a mail server beside it, and people with a browser each.

import { freePort } from "../target/free-port.js"
import { installDemo } from "../target/installation.js"
import { launchBrowser, openWindow } from "./chromium.js"
import { startMailSink } from "./mail-sink.js"
import { Person } from "./person.js"

/** The root user of the demo data. */
export const ROOT = { email: "admin@example.com", password: "password" }

/** @param {Record<string, string>} settings more of the server's environment */
export async function openSite(settings = {}) {
  const port = await freePort()
  const mails = await startMailSink()
  const demo = await installDemo({ ...settings, ...mailSettings(mails, port) }, port)
  const browser = await launchBrowser()
  return new Site(demo, mails, browser)
}

const mailSettings = (mails, port) => ({
  PUSHER_LITE_PUBLIC_URL: `http://127.0.0.1:${port}`,
  PUSHER_LITE_SMTP_URL: `smtp://127.0.0.1:${mails.port}`,
  PUSHER_LITE_MAIL_FROM: "pusher-lite <noreply@example.com>",
})

class Site {
  #count = 0

  constructor(demo, mails, browser) {
    Object.assign(this, { demo, mails, browser })
  }

  get url() {
    return this.demo.url
  }

  /** Somebody in front of a window of their own, whom nobody here knows yet. */
  async visitor(name = "Ann", options = {}) {
    this.#count += 1
    const email = `${name.toLowerCase()}${this.#count}@example.com`
    return this.#open({ name, email, password: `a long password of ${name}` }, options)
  }

  /** Somebody who signed up, confirmed and signed in, with an organization of their own. */
  async member(name = "Ann", options = {}) {
    const person = await this.visitor(name, options)
    await person.signUp()
    await person.confirm()
    await person.signIn()
    return person
  }

  /** The root user, signed in. */
  async root(options = {}) {
    const person = await this.#open({ name: "Test Admin", ...ROOT }, options)
    await person.signIn()
    return person
  }

  async #open(who, { viewport, ...options }) {
    const window = await openWindow(this.browser, viewport, options)
    return new Person(this, who, window)
  }

  /** Closes every window. */
  async everybodyLeaves() {
    await Promise.all(this.browser.contexts().map((context) => context.close()))
  }

  async close() {
    await this.browser.close()
    await this.demo.dispose()
    await this.mails.close()
  }
}
