// Actions of a root user under /admin.

import assert from "node:assert/strict"
import fs from "node:fs"
import { after, afterEach, before, describe, test } from "node:test"
import { openSite, siteLeftOut } from "./site.js"

/** Rows of a page of any list. */
const PAGE = 30

describe("the admin", { skip: siteLeftOut() }, () => {
  let site, root

  before(async () => {
    site = await openSite()
    root = await site.root()
  })
  after(() => site?.close())
  afterEach(() => site?.everybodyLeaves({ but: root }))

  const rows = () => root.page.locator("main tbody tr")
  const rowOf = (text) => rows().filter({ hasText: text })

  async function search(table, text) {
    await root.goTo(`/admin/${table}`)
    await root.page.getByRole("searchbox").fill(text)
    await root.page.getByRole("searchbox").press("Enter")
    await root.page.waitForURL(/q=/)
  }

  /** The page of the first row of the list. */
  async function openFirst(table) {
    await rows().first().locator(`a[href^="/admin/${table}/"]`).first().click()
    await root.page.waitForURL(/\/\d+$/)
  }

  async function createUser(name, email) {
    await root.goTo("/admin/users/new")
    await root.fill({ Name: name, Address: email })
    await root.press("Create")
    await root.isTold(/created/i)
  }

  test("whoever is not root is sent away with a message", async () => {
    const ann = await site.member("Ann")
    await ann.goTo("/admin/users")
    await ann.isTold(/administrators/i)
    assert.equal(new URL(ann.page.url()).pathname, "/")
    const visitor = await site.visitor("Visitor")
    await visitor.goTo("/admin")
    await visitor.isTold(/sign in/i)
  })

  test("the dashboard counts what happens, while it happens", async () => {
    await root.goTo("/admin")
    const sockets = root.page.locator(".stat").filter({ hasText: "Sockets" }).locator(".stat-value")
    const count = async () => Number((await sockets.textContent()).replaceAll(/\D/g, ""))
    const before = await count()
    const chatter = await site.visitor("Chatter")
    await chatter.goTo("/demo")
    await chatter.page.getByText("Connected", { exact: true }).waitFor()
    await root.page.waitForFunction(
      ([selector, former]) => {
        const tile = [...document.querySelectorAll(".stat")].find((each) => each.textContent.includes(selector))
        return Number(tile.querySelector(".stat-value").textContent.replaceAll(/\D/g, "")) > former
      },
      ["Sockets", before],
    )
    await root.page.locator(".chart svg").first().waitFor()
    await root.reads(/SQLite/)
    await root.reads("Test App")
    assert.deepEqual(root.complaints, [])
  })

  test("users are created, found, sorted, paged, changed and deleted", async () => {
    for (let number = 1; number <= PAGE + 1; number += 1) {
      await createUser(`Crowd ${number}`, `crowd${String(number).padStart(2, "0")}@example.com`)
    }
    await search("users", "crowd")
    assert.equal(await rows().count(), PAGE)
    await root.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Page 2" }).click()
    await root.page.waitForURL(/page=2/)
    assert.equal(await rows().count(), 1)

    await search("users", "crowd")
    const firstEmail = async () => /crowd\d\d@/.exec(await rows().first().textContent())[0]
    await root.page.getByRole("columnheader", { name: "Address" }).getByRole("link").click()
    await root.page.waitForURL(/sort=email/)
    assert.equal(await firstEmail(), "crowd01@")
    await root.page.getByRole("columnheader", { name: "Address" }).getByRole("link").click()
    await root.page.waitForURL(/direction=desc/)
    assert.equal(await firstEmail(), `crowd${PAGE + 1}@`)

    const [download] = await Promise.all([
      root.page.waitForEvent("download"),
      root.follow("Download CSV"),
    ])
    const csv = fs.readFileSync(await download.path(), "utf8")
    assert.equal(csv.match(/crowd\d\d@example\.com/g).length, PAGE + 1)

    await search("users", "crowd01@")
    await openFirst("users")
    await root.follow("Edit")
    await root.fill({ Name: "Not so crowded" })
    await root.press("Save")
    await root.isTold(/saved|changed/i)
    await root.reads("Not so crowded")
    await root.does("Delete")
    await root.isTold(/deleted/i)
    await search("users", "crowd01@")
    assert.equal(await rows().count(), 0)
  })

  test("several rows are changed at once", async () => {
    for (const name of ["batch1", "batch2"]) await createUser(name, `${name}@example.com`)
    await search("users", "batch")
    await root.page.getByLabel("Select all").check()
    await root.page.getByLabel("Action for selected rows").selectOption("Delete")
    await root.press("Apply")
    await root.press("Delete")
    await root.isTold(/2/)
    await search("users", "batch")
    assert.equal(await rows().count(), 0)
  })

  test("a form with a confirmation makes somebody root, no switch does, and the log knows", async () => {
    const ben = await site.member("Ben")
    await search("users", ben.email)
    assert.equal(await rowOf(ben.email).getByRole("switch", { name: /root/i }).count(), 0)
    await openFirst("users")
    await root.follow("Edit")
    await root.page.getByLabel("Root", { exact: true }).check()
    await root.press("Save")
    await root.page.getByText(/must be ticked/).first().waitFor()
    await root.page.getByLabel("Yes, make this user root").check()
    await root.press("Save")
    await root.isTold(/saved/i)
    await ben.goTo("/admin")
    await ben.page.getByRole("heading", { name: "Dashboard" }).waitFor()
    await root.goTo("/admin/audit")
    const entry = rows().first()
    assert.match(await entry.textContent(), /admin@example\.com/)
    assert.match(await entry.textContent(), /users/)
  })

  test("what is wrong stands beside its field, and what was typed is kept", async () => {
    await root.goTo("/admin/users/new")
    await root.page.locator("main form").evaluate((form) => (form.noValidate = true))
    await root.fill({ Name: "Twice", Address: "admin@example.com" })
    await root.press("Create")
    await root.hasError("Address", /taken/)
    assert.equal(await root.field("Name").inputValue(), "Twice")
  })

  test("a row shows what belongs to it, linked both ways", async () => {
    const cleo = await site.member("Cleo")
    await search("organizations", cleo.organization)
    await openFirst("organizations")
    await root.page.getByRole("heading", { name: cleo.organization }).waitFor()
    await root.page.getByRole("main").getByRole("link", { name: cleo.email }).first().click()
    await root.page.getByRole("heading", { name: cleo.email }).waitFor()
    await root.page.getByRole("main").getByRole("link", { name: cleo.organization }).first().waitFor()
  })

  test("an application that is archived here loses its sockets", async () => {
    const dan = await site.member("Dan")
    const application = await dan.createApplication("Short-lived")
    await dan.goTo(`${application}/console?topic=general`)
    await dan.page.getByText("Connected", { exact: true }).waitFor()
    await search("applications", "Short-lived")
    await openFirst("applications")
    await root.does("Archive")
    await root.isTold(/archived/i)
    await dan.page.getByText("Connected", { exact: true }).waitFor({ state: "detached" })
    await root.press("Restore")
    await root.isTold(/restored/i)
  })

  test("while the mail server is down pages work, mails wait in sight, and are sent later", async () => {
    const { port } = site.mails
    await site.mails.close()
    const eve = await site.visitor("Eve")
    await eve.signUp()
    await search("mails", eve.email)
    await rowOf(eve.email).first().waitFor()
    await openFirst("mails")
    await site.mails.listen(port)
    await root.press("Try again now")
    await root.isTold(/tried again/i)
    await eve.confirm()
    await eve.signIn()
    await search("mails", eve.email)
    assert.doesNotMatch(await root.page.getByRole("main").textContent(), /confirmations\/[\w-]{20}/, "a link is shown")
  })

  test("the log can be searched and not changed", async () => {
    await createUser("Logged", "logged@example.com")
    await search("audit", "logged@example.com")
    await rowOf("logged@example.com").first().waitFor()
    await openFirst("audit")
    const buttons = root.page.getByRole("main").getByRole("button")
    assert.deepEqual(await buttons.allTextContents(), [])
  })
})
