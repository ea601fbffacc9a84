// Passwords that are lost or changed, and browsers that remember.

import assert from "node:assert/strict"
import { after, afterEach, before, describe, test } from "node:test"
import { openSite, siteLeftOut } from "./site.js"

const REMEMBER = "Keep me signed in on this device"

describe("passwords", { skip: siteLeftOut() }, () => {
  let site

  before(async () => (site = await openSite()))
  after(() => site?.close())
  afterEach(() => site?.everybodyLeaves())

  test("a lost password is set anew by mail, and every browser is signed out", async () => {
    const ann = await site.member("Ann")
    const elsewhere = await ann.inAnotherBrowser()
    await elsewhere.goTo("/sessions/new")
    await elsewhere.follow("Forgot your password?")
    await elsewhere.fill({ "Email address": ann.email })
    await elsewhere.press("Send the mail")
    await elsewhere.isTold(/mail/i)
    const { link } = await site.mails.next(ann.email, /new password/i)
    await elsewhere.goTo(link)
    await elsewhere.setPassword("quite another password")
    await site.mails.next(ann.email, /password was changed/i)
    await ann.goTo("/account/tokens")
    await ann.isSignedOut()
    await ann.trySignIn()
    await ann.isRefused()
    await elsewhere.signIn()
    await elsewhere.goTo(link)
    await elsewhere.isTooLate()
  })

  test("a reset for nobody is answered as one for somebody, and sends no mail", async () => {
    const bob = await site.member("Bob")
    const thief = await site.visitor("Thief")
    const answerTo = async (email) => {
      await thief.goTo("/passwords/new")
      await thief.fill({ "Email address": email })
      await thief.press("Send the mail")
      return thief.page.locator(".flash").textContent()
    }
    assert.equal(await answerTo("nobody@example.com"), await answerTo(bob.email))
    await site.mails.next(bob.email, /password/i)
    assert.deepEqual(site.mails.subjectsFor("nobody@example.com"), [])
  })

  test("a changed password signs out the other browsers", async () => {
    const cleo = await site.member("Cleo")
    const elsewhere = await cleo.inAnotherBrowser()
    await elsewhere.signIn()
    await cleo.goTo("/account")
    await cleo.follow("Change")
    const former = cleo.password
    cleo.password = "quite another password"
    await cleo.fill({ "New password": cleo.password, "New password again": cleo.password })
    await cleo.press("Save")
    await cleo.hasError("Current password", /blank/)
    await cleo.fill({ "New password": cleo.password, "New password again": cleo.password, "Current password": former })
    await cleo.press("Save")
    await cleo.isTold("Your password is changed")
    await elsewhere.goTo("/account/tokens")
    await elsewhere.isSignedOut()
    await cleo.signOut()
    await cleo.signIn()
  })

  test("another address counts when it is confirmed, and the old one is told", async () => {
    const dora = await site.member("Dora")
    const former = dora.email
    dora.email = `new-${former}`
    await dora.goTo("/account")
    await dora.follow("Change")
    await dora.fill({ "Email address": dora.email, "Current password": dora.password })
    await dora.press("Save")
    await dora.isTold(/Your address becomes/)
    const warning = await site.mails.next(former, /about to change/i)
    assert.ok(warning.text.includes(dora.email) && warning.html.includes(dora.email))
    assert.equal(new URL(warning.link).pathname, "/passwords/new")
    await dora.confirm()
    const told = await site.mails.next(former, /was changed/i)
    assert.ok(told.text.includes(dora.email) && told.html.includes(dora.email))
    await dora.signOut()
    await dora.trySignIn({ email: former })
    await dora.isRefused()
    await dora.signIn()
  })

  test("a browser that is told to remember signs in by itself, and a stolen cookie ends that", async () => {
    const dan = await site.member("Dan")
    await dan.signOut()
    await dan.goTo("/sessions/new")
    await dan.fillSignIn()
    await dan.page.getByLabel(REMEMBER).check()
    await dan.press("Sign in")
    await dan.isSignedIn()
    const context = dan.page.context()
    const remembered = (await context.cookies()).filter(({ name }) => /remember/.test(name))
    assert.equal(remembered.length, 1)
    // As if the browser was closed: a session's cookie goes, the other stays.
    const restart = () => context.clearCookies({ name: /session/ })

    // Twice, since the last token but one may be that of a second tab.
    for (let times = 1; times <= 2; times += 1) {
      await restart()
      await dan.goTo("/account/tokens")
      await dan.isSignedIn()
    }

    const thief = await dan.inAnotherBrowser()
    await thief.page.context().addCookies(remembered)
    await thief.goTo("/account/tokens")
    await thief.isSignedOut()

    await dan.goTo("/account/tokens")
    await dan.isSignedOut()
  })
})
