// Each page once as everyone may have it: on a phone and a desktop, in light and dark, and without JavaScript.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { fitsTheWindow, isAccessible } from "./accessibility.js"
import { openSite, siteLeftOut } from "./site.js"

/** In CSS pixels, and the colours along with them. */
const WINDOWS = {
  "a phone": { viewport: { width: 390, height: 844 } },
  "a phone in the dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
  "a desktop": { viewport: { width: 1280, height: 800 } },
  "a desktop in the dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
}

const NO_SCRIPTS = {
  "a phone without scripts": { viewport: { width: 390, height: 844 }, javaScriptEnabled: false },
  "a desktop without scripts": { viewport: { width: 1280, height: 800 }, javaScriptEnabled: false },
}

const FOR_EVERYBODY = [
  "/",
  "/demo",
  "/sessions/new",
  "/registrations/new",
  "/registrations/sent",
  "/passwords/new",
  "/passwords/no-such-token/edit",
  "/confirmations/new",
  "/confirmations/no-such-token/edit",
  "/unlocks/new",
  "/unlocks/no-such-token/edit",
  "/invitations/no-such-token/edit",
  "/no-such-page",
]

const TABLES = [
  "users",
  "user_tokens",
  "organizations",
  "enrollments",
  "applications",
  "ownerships",
  "mails",
  "audit",
]

/** Tables whose rows are made elsewhere. */
const NOT_EDITED = ["mails", "audit"]

describe("every page", { skip: siteLeftOut() }, () => {
  let site, member, root, paths

  before(async () => {
    site = await openSite()
    member = await site.member("Ann")
    await member.createToken()
    root = await site.root()
    paths = { everybody: await forVisitors(), "a member": await forMembers(), root: await forRoot() }
  })
  after(() => site?.close())

  /** With links of mails that are still good. */
  async function forVisitors() {
    const ben = await site.visitor("Ben")
    await member.invite(ben.email)
    const { link: invitation } = await site.mails.next(ben.email, /invites you/i)
    await ben.goTo("/passwords/new")
    await ben.fill({ "Email address": member.email })
    await ben.press("Send the mail")
    const { link: reset } = await site.mails.next(member.email, /new password/i)
    return [...FOR_EVERYBODY, invitation, reset]
  }

  async function forMembers() {
    const application = await member.createApplication("Chat")
    const archived = await member.createApplication("Former chat")
    await member.confirms("Archive")
    await member.isTold(/archived/i)
    await member.goTo("/account")
    const registration = new URL(member.page.url()).pathname
    const organization = application.replace(/\/applications.*/, "")
    return [
      registration,
      `${registration}/edit`,
      `${registration}/delete`,
      "/account/tokens",
      "/account/organizations",
      organization,
      `${organization}/applications/new`,
      application,
      archived,
      `${application}/console?topic=general`,
      "/invitations/new",
    ]
  }

  async function forRoot() {
    const found = ["/admin", "/admin/users?q=nobody-has-this-name"]
    for (const table of TABLES) {
      await root.goTo(`/admin/${table}`)
      const links = root.page.locator(`main a[href^="/admin/${table}/"]`)
      const hrefs = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")))
      const first = hrefs.find((href) => /\/\d+$/.test(href))
      assert.ok(first, `no row of ${table} is linked`)
      found.push(`/admin/${table}`, first)
      if (!NOT_EDITED.includes(table)) found.push(`${first}/edit`, `/admin/${table}/new`, `${first}/delete`)
    }
    return found
  }

  for (const [who, someone] of [
    ["everybody", (options) => site.visitor("Visitor", options)],
    ["a member", (options) => signedIn(member, options)],
    ["root", (options) => signedIn(root, options)],
  ]) {
    for (const [where, options] of Object.entries(WINDOWS)) {
      test(`of ${who}, on ${where}`, async (context) => {
        const person = await someone(options)
        for (const path of paths[who]) {
          await context.test(path.replace(/[\w-]{30,}/, "…"), async () => {
            person.complaints.length = 0
            const answer = await person.goTo(path)
            await isFinished(person.page)
            await fitsTheWindow(person.page)
            await isAccessible(person.page)
            assert.deepEqual(person.complaints.filter(isFault(answer)), [])
          })
        }
        await person.page.context().close()
      })
    }

    for (const [where, options] of Object.entries(NO_SCRIPTS)) {
      test(`of ${who}, on ${where}`, async (context) => {
        const person = await someone(options)
        for (const path of paths[who]) {
          await context.test(path.replace(/[\w-]{30,}/, "…"), async () => {
            await person.goTo(path)
            await isFinished(person.page)
            await fitsTheWindow(person.page)
          })
        }
        await person.page.context().close()
      })
    }
  }

  async function signedIn(person, options) {
    const again = await person.inAnotherBrowser(options)
    await again.signIn()
    return again
  }
})

/** A browser complains of a page that is not found; that is how it should be. */
const isFault = (answer) => (complaint) => answer.ok() || !/Failed to load resource/.test(complaint)

/** Has one heading above the others and something to read under it, a title, and no gap where a value should stand. */
async function isFinished(page) {
  assert.equal(await page.locator("h1").count(), 1, `${page.url()} has not one main heading`)
  const text = await page.locator("body").innerText()
  assert.doesNotMatch(text, /undefined|NaN|\{\{|\}\}|\[object/, `${page.url()} shows a value that is none`)
  assert.match(await page.title(), /pusher-lite/)
}
