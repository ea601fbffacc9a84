// A server with demo data, a mail server beside it, and people with a browser each.

import { freePort } from "../target/free-port.js"
import { installDemo } from "../target/installation.js"
import { givenTarget } from "../target/settings.js"
import { browserLeftOut, launchBrowser, openWindow } from "./chromium.js"
import { startMailSink } from "./mail-sink.js"
import { Person } from "./person.js"

/** The root user of the demo data. */
export const ROOT = { email: "admin@example.com", password: "password" }

/** For node:test: why tests of the site are left out, or false. Demo data is in no target that is there for something else. */
export const siteLeftOut = () => (givenTarget() ? "needs demo data" : browserLeftOut())

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
    return this.opens({ name, email, password: `a long password of ${name}` }, options)
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
    const person = await this.opens({ name: "Test Admin", ...ROOT }, options)
    await person.signIn()
    return person
  }

  /** Somebody in front of another window. */
  async opens({ name, email, password }, { viewport, ...options }) {
    const window = await openWindow(this.browser, viewport, options)
    return new Person(this, { name, email, password }, window)
  }

  /** Closes every window, but that of one person. */
  async everybodyLeaves({ but } = {}) {
    const left = this.browser.contexts().filter((context) => context !== but?.page.context())
    await Promise.all(left.map((context) => context.close()))
  }

  async close() {
    await this.browser.close()
    await this.demo.dispose()
    await this.mails.close()
  }
}
