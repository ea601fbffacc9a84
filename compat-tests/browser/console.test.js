// An application from its creation to the first events in its live console.

import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import fs from "node:fs"
import path from "node:path"
import { after, afterEach, before, describe, test } from "node:test"
import { promisify } from "node:util"
import { scratchFolder } from "../target/scratch.js"
import { openSite, siteLeftOut } from "./site.js"

/** Commands that run the snippets for backends; those of other languages only where the language is installed. */
const RUNS = {
  curl: ["bash", "publish.sh"],
  Ruby: ["ruby", "publish.rb"],
  "Node.js": ["node", "publish.mjs"],
  Python: ["python3", "publish.py"],
  PHP: ["php", "publish.php"],
}

/** Programs that everybody has who builds or tests this project. */
const ALWAYS = ["bash", "node", "python3"]

const run = promisify(execFile)
const isInstalled = (command) =>
  process.env.PATH.split(":").some((folder) => fs.existsSync(path.join(folder, command)))

describe("an application and its console", { skip: siteLeftOut() }, () => {
  let site, ann, application, token

  before(async () => {
    site = await openSite()
    ann = await site.member("Ann", { permissions: ["clipboard-read", "clipboard-write"] })
    token = await ann.createToken()
    application = await ann.createApplication("Chat")
  })
  after(() => site?.close())
  afterEach(() => site?.everybodyLeaves({ but: ann }))

  /** Ann in front of another window: its console. */
  async function openConsole(topic) {
    const watcher = await ann.inAnotherBrowser()
    await watcher.signIn()
    await watcher.goTo(`${application}/console?topic=${topic}`)
    await watcher.page.getByText("Connected", { exact: true }).waitFor()
    return watcher
  }

  const events = (watcher) => watcher.page.locator(".live-event")

  for (const [name, [command, file]] of Object.entries(RUNS)) {
    const skip = ALWAYS.includes(command) || isInstalled(command) ? false : `${command} is not installed`
    test(`the snippet for ${name}, copied and run, makes an event arrive`, { skip }, async () => {
      const watcher = await openConsole("general")
      const before = await events(watcher).filter({ hasText: "new_message" }).count()
      await ann.goTo(application)
      await ann.page.getByText(name, { exact: true }).first().click()
      await ann.page.getByTitle(`Copy: ${name}`).click()
      const code = await ann.page.evaluate(() => navigator.clipboard.readText())
      assert.ok(code.includes(site.url), code)
      const folder = scratchFolder("snippet")
      fs.writeFileSync(path.join(folder, file), code.replace("YOUR_TOKEN", token))
      await run(command, [file], { cwd: folder })
      const arrived = events(watcher).filter({ hasText: "new_message" }).nth(before)
      await arrived.waitFor()
      assert.match(await arrived.textContent(), /"message":\s*"Hello"/)
      assert.deepEqual(watcher.complaints, [])
    })
  }

  test("a test event is published from the console, and seen in every console of the topic", async () => {
    const watchers = [await openConsole("orders/7 ü"), await openConsole("orders/7 ü")]
    const [publisher] = watchers
    await publisher.fill({ Event: "paid", Payload: '{"amount": 12.5}' })
    await publisher.press("Publish")
    for (const watcher of watchers) {
      const event = events(watcher).filter({ hasText: "paid" })
      await event.waitFor()
      assert.match(await event.textContent(), /12\.5/)
    }
    await publisher.fill({ Payload: "{not json" })
    await publisher.press("Publish")
    await publisher.reads(/not valid JSON/)
    assert.equal(await events(publisher).filter({ hasText: "paid" }).count(), 1)
  })

  test("the console shows who comes and goes", async () => {
    const watcher = await openConsole("presence")
    const people = watcher.page.locator(".people")
    const visitor = await site.visitor("Visitor")
    await visitor.goTo("/")
    await visitor.page.addScriptTag({ url: "/js/pusher.js" })
    const jwt = await jwtOf(token)
    await visitor.page.evaluate(
      ([key, given]) => {
        const Client = window.require("pusher_lite").default
        const pusher = new Client(key, { jwt: given, uniqueUserId: "visitor from afar" })
        pusher.subscribe("presence")
        pusher.joinAll()
      },
      [application.split("/").at(-1), jwt],
    )
    await people.getByText("visitor from afar").waitFor()
    await visitor.page.close()
    await people.getByText("visitor from afar").waitFor({ state: "detached" })
  })

  test("without a script an event is published by the form alone", async () => {
    const watcher = await openConsole("plain")
    const plain = await ann.inAnotherBrowser({ javaScriptEnabled: false })
    await plain.signIn()
    await plain.goTo(`${application}/console?topic=plain`)
    await plain.fill({ Event: "paid", Payload: '{"by": "form"}' })
    await plain.press("Publish")
    await plain.isTold(/published/i)
    await events(watcher).filter({ hasText: "paid" }).waitFor()
  })

  test("an archived application closes its console and is there again after restoring", async () => {
    const watcher = await openConsole("archive")
    await ann.goTo(application)
    await ann.confirms("Archive")
    await ann.isTold(/archived/i)
    await watcher.page.getByText("Connected", { exact: true }).waitFor({ state: "detached" })
    await ann.press(/^Restore/)
    await ann.isTold(/is restored/)
    await openConsole("archive")
  })

  test("the secret is rotated, the application renamed", async () => {
    await ann.goTo(application)
    const secretOf = () => ann.page.locator('[data-copy="Secret"]').textContent()
    const former = await secretOf()
    await ann.confirms(/secret/i)
    await ann.isTold(/secret/i)
    assert.notEqual(await secretOf(), former)
    await ann.fill({ Name: "Chat of Ann" })
    await ann.press("Rename")
    await ann.isTold(/renamed/i)
    await ann.page.getByRole("heading", { name: "Chat of Ann" }).waitFor()
  })

  test("a token is shown once, says when it was used, and is invalidated", async () => {
    const mine = await ann.createToken()
    await jwtOf(mine)
    await ann.goTo("/account/tokens")
    assert.ok(!(await ann.page.content()).includes(mine), "the token is shown again")
    const row = ann.page.locator("main").getByText(mine.slice(-4)).first()
    await row.waitFor()
    await ann.reads(/127\.0\.0\.1/)
    await ann.invalidateToken(mine)
    await ann.isTold(/invalidated/i)
    await assert.rejects(jwtOf(mine), /422/)
  })

  test("what belongs to others is not there", async () => {
    const eve = await site.member("Eve")
    for (const page of [application, `${application}/console`, application.replace(/\/applications.*/, "")]) {
      assert.equal((await eve.goTo(page)).status(), 404, page)
    }
  })

  async function jwtOf(given) {
    const body = new URLSearchParams({ token: given })
    const answer = await fetch(`${site.url}/api/sessions`, { method: "POST", body })
    if (!answer.ok) throw new Error(String(answer.status))
    return (await answer.json()).jwt
  }
})
