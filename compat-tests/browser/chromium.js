// Debian's Chromium, driven by playwright-core.

import fs from "node:fs"
import { chromium } from "playwright-core"
import { leftOut } from "../clients/servers.js"

const PATH = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium"

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/** For node:test: why browser tests are left out, or false. */
export const browserLeftOut = () =>
  leftOut(fs.existsSync(PATH) ? undefined : `no Chromium at ${PATH}; set CHROMIUM_PATH`)

export const launchBrowser = () => chromium.launch({ executablePath: PATH, args: FLAGS })

/**
 * A page of a window of its own, with nothing in common with the other windows.
 *
 * @param {object} options of the window, such as `javaScriptEnabled: false`
 * @returns {Promise<{page: import("playwright-core").Page, complaints: string[]}>} `complaints`: whatever the browser
 *   wrote to the console as an error, threw, or could not load
 */
export async function openWindow(browser, viewport = { width: 1280, height: 800 }, options = {}) {
  const context = await browser.newContext({ viewport, ...options })
  const page = await context.newPage()
  const complaints = []
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()))
  page.on("pageerror", (error) => complaints.push(String(error)))
  return { page, complaints }
}
