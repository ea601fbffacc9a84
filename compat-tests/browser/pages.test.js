// The home page and the demo, as visitors see them.

import assert from "node:assert/strict"
import { after, afterEach, before, describe, test } from "node:test"
import { install, installDemo } from "../target/installation.js"
import { givenTarget } from "../target/settings.js"
import { sendRequest } from "../wire/http.js"
import { browserLeftOut, launchBrowser, openWindow } from "./chromium.js"

/** A phone and a desktop, in CSS pixels. */
const WIDTHS = [390, 1280]

// Demo data is in no target that is there for something else.
const skip = givenTarget() ? "needs demo data" : browserLeftOut()

describe("pages", { skip }, () => {
  let demo, browser

  before(async () => {
    demo = await installDemo()
    browser = await launchBrowser()
  })

  after(async () => {
    await browser?.close()
    await demo?.dispose()
  })

  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))

  async function visit(path, viewport) {
    const window = await openWindow(browser, viewport)
    const response = await window.page.goto(demo.url + path, { waitUntil: "networkidle" })
    return { ...window, response }
  }

  for (const path of ["/", "/demo"]) {
    for (const width of WIDTHS) {
      test(`${path} fits into ${width} pixels and complains about nothing`, async () => {
        const { page, complaints, response } = await visit(path, { width, height: 800 })
        assert.equal(response.status(), 200)
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        assert.equal(overflow, 0, "there is a horizontal scroll bar")
        assert.deepEqual(complaints, [])
      })
    }

    test(`${path} has a Content-Security-Policy without unsafe scripts`, async () => {
      const { headers } = await sendRequest(demo.address, { method: "GET", path })
      const policy = headers["content-security-policy"] ?? ""
      const scripts = /(?:script-src|default-src)[^;]*/.exec(policy)?.[0] ?? ""
      assert.ok(scripts, `no policy for scripts: ${policy}`)
      assert.doesNotMatch(scripts, /unsafe-inline|unsafe-eval|\*/)
    })
  }

  test("the home page's snippets name this very server", async () => {
    const { page } = await visit("/")
    assert.ok((await page.locator("pre").allTextContents()).join().includes(`127.0.0.1:${demo.address.port}`))
  })

  test("there is no demo without demo data", async () => {
    const installation = await install("sqlite")
    try {
      const answer = await sendRequest(installation.address, { method: "GET", path: "/demo" })
      assert.equal(answer.status, 404)
    } finally {
      await installation.dispose()
    }
  })

  test("two windows chat, over the socket and through REST", async () => {
    const windows = [await chatWindow("Ann"), await chatWindow("Ben")]
    const [ann, ben] = windows
    await ann.page.getByLabel("Message", { exact: true }).fill("Hello over the socket")
    await ann.page.getByRole("button", { name: "Send", exact: true }).click()
    for (const { messages } of windows) await messages.getByText("Hello over the socket").waitFor()
    await ben.page.getByLabel("Message", { exact: true }).fill("Hello through REST")
    await ben.page.getByRole("button", { name: "Send through REST" }).click()
    for (const { messages } of windows) await messages.getByText("Hello through REST").waitFor()
    for (const { complaints } of windows) assert.deepEqual(complaints, [])
  })

  test("the demo shows who comes and goes", async () => {
    const ann = await chatWindow("Ann")
    const ben = await chatWindow("Ben")
    await ann.people.getByText("Ben").waitFor()
    await ben.people.getByText("Ann").waitFor()
    await ben.page.close()
    await ann.people.getByText("Ben").waitFor({ state: "detached" })
  })

  async function chatWindow(name) {
    const window = await visit("/demo")
    const { page } = window
    await page.getByLabel("Your name").fill(name)
    await page.getByRole("button", { name: "Change" }).click()
    const people = page.getByRole("list").filter({ hasText: name })
    await people.getByText(name).first().waitFor()
    return { ...window, people, messages: page.getByRole("log") }
  }
})
