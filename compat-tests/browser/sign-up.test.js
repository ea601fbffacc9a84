// Sign-up, and the first sign-in.

import assert from "node:assert/strict"
import { after, afterEach, before, describe, test } from "node:test"
import { openSite, siteLeftOut } from "./site.js"

describe("signing up and in", { skip: siteLeftOut() }, () => {
  let site

  before(async () => (site = await openSite()))
  after(() => site?.close())
  afterEach(() => site?.everybodyLeaves())

  test("somebody signs up, finds the mail, confirms, and signs in", async () => {
    const ann = await site.visitor("Ann")
    await ann.goTo("/")
    await ann.follow("Sign up")
    await ann.fillSignUp()
    await ann.press("Sign up")
    await ann.hasMail()
    await ann.confirm()
    const welcome = await site.mails.next(ann.email, /welcome/i)
    assert.equal(new URL(welcome.link).pathname, "/account/tokens")
    assert.doesNotMatch(welcome.text, /[0-9a-f-]{32,36}/, "a mail holds no token")
    await ann.signIn()
    await ann.goTo(welcome.link)
    await ann.reads("No valid token")
    await ann.goTo("/account")
    assert.match(ann.page.url(), /\/registrations\/\d+$/)
    await ann.reads(ann.email)
    await ann.goTo("/account/organizations")
    await ann.reads(ann.organization)
    await ann.signOut()
    assert.deepEqual(ann.complaints, [])
  })

  test("nobody gets in before the address is confirmed", async () => {
    const bob = await site.visitor("Bob")
    await bob.signUp()
    await site.mails.next(bob.email, /confirm/i)
    await bob.trySignIn()
    await bob.isRefused(/confirm/i)
    await bob.follow("Get another one")
    await bob.fill({ "Email address": bob.email })
    await bob.press("Send the mail")
    await bob.isTold(/mail/i)
    await bob.confirm()
    await bob.signIn()
  })

  test("a confirmation works once, and says so with a way on", async () => {
    const cleo = await site.visitor("Cleo")
    await cleo.signUp()
    const { link } = await site.mails.next(cleo.email, /confirm/i)
    await cleo.confirmBy(link)
    for (const path of [link, "/confirmations/no-such-token/edit"]) {
      await cleo.goTo(path)
      await cleo.isTooLate()
    }
  })

  test("opening the link confirms nothing, and who did not sign up sets another password", async () => {
    const owner = await site.visitor("Hal")
    const thief = await owner.inAnotherBrowser()
    await thief.signUp()
    const { link } = await site.mails.next(owner.email, /confirm/i)
    for (const scanner of [owner, thief]) await scanner.goTo(link)
    await thief.trySignIn()
    await thief.isRefused(/confirm/i)
    await owner.goTo(link)
    await owner.fill({ "New password": "a password of the owner", "New password again": "a password of the owner" })
    await owner.press("Set the password and confirm")
    await owner.isTold(/confirmed/i)
    await thief.trySignIn()
    await thief.isRefused()
    owner.password = "a password of the owner"
    await owner.signIn()
  })

  test("errors stand beside their fields, and what was typed is kept", async () => {
    const dan = await site.visitor("Dan")
    await dan.goTo("/registrations/new")
    await dan.page.locator("main form").evaluate((form) => (form.noValidate = true))
    await dan.fill({ "Your name": dan.name, "Email address": "not an address" })
    await dan.fill({ Password: "short", "Password again": "different" })
    await dan.press("Sign up")
    await dan.hasError("Email address", /address/)
    await dan.hasError("Password", /at least 8/)
    await dan.hasError("Password again", /match/)
    await dan.hasError("Organization", /blank/)
    assert.equal(await dan.field("Your name").inputValue(), dan.name)
    assert.equal(await dan.field("Email address").inputValue(), "not an address")
    assert.equal(await dan.field("Password").inputValue(), "")
    await dan.page.getByRole("alert").getByRole("link", { name: /Organization/ }).click()
    assert.ok(await dan.field("Organization").evaluate((field) => field === document.activeElement))
  })

  test("whether an address has an account is told to its owner alone", async () => {
    const eve = await site.member("Eve")
    const thief = await site.visitor("Thief")
    const answerTo = async (email) => {
      await thief.goTo("/registrations/new")
      await thief.fillSignUp({ email })
      await thief.press("Sign up")
      await thief.hasMail()
      return [new URL(thief.page.url()).pathname, await thief.page.getByRole("main").textContent()]
    }
    assert.deepEqual(await answerTo(eve.email), await answerTo("nobody-yet@example.com"))
    await site.mails.next(eve.email, /already/i)
    const refusalOf = async (email) => {
      await thief.trySignIn({ email, password: "a wrong password" })
      await thief.isRefused()
      return thief.page.getByRole("main").textContent()
    }
    assert.equal(await refusalOf(eve.email), await refusalOf("nobody@example.com"))
  })

  test("who has to sign in first gets where they wanted to go", async () => {
    const finn = await site.member("Finn")
    await finn.signOut()
    await finn.goTo("/account/tokens")
    await finn.isTold(/sign in/i)
    await finn.fillSignIn()
    await finn.press("Sign in")
    await finn.page.waitForURL("**/account/tokens")
  })

  test("signing out ends the session, also for who kept the cookie", async () => {
    const gil = await site.member("Gil")
    const cookies = await gil.page.context().cookies()
    await gil.signOut()
    await gil.page.context().addCookies(cookies)
    await gil.goTo("/account/tokens")
    await gil.isSignedOut()
    for (const cookie of cookies) {
      assert.ok(cookie.httpOnly, `scripts can read ${cookie.name}`)
      assert.match(cookie.sameSite, /Lax|Strict/, cookie.name)
    }
  })
})
