// An account that somebody tries passwords on.

import { after, afterEach, before, describe, test } from "node:test"
import { openSite, siteLeftOut } from "./site.js"

/** Wrong passwords that lock an account. */
const ATTEMPTS = 5

describe("a locked account", { skip: siteLeftOut() }, () => {
  let site

  before(async () => (site = await openSite()))
  after(() => site?.close())
  afterEach(() => site?.everybodyLeaves())

  // In a browser in which its owner has signed in before, the right password still counts. The server's own tests try
  // it from elsewhere.
  test("is locked by wrong passwords, and is unlocked by mail", async () => {
    const ann = await site.member("Ann")
    await ann.signOut()
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      await ann.trySignIn({ password: `wrong password ${attempt}` })
      await ann.isRefused()
    }
    const { link } = await site.mails.next(ann.email, /unlock/i)
    await ann.unlockBy(link)
    await ann.signIn()
    await ann.goTo(link)
    await ann.isTooLate()
  })

  test("gets another mail on demand", async () => {
    const bob = await site.member("Bob")
    await bob.signOut()
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      await bob.trySignIn({ password: `wrong password ${attempt}` })
      await bob.isRefused()
    }
    await site.mails.next(bob.email, /unlock/i)
    await bob.follow("Unlock your account")
    await bob.fill({ "Email address": bob.email })
    await bob.press("Send the mail")
    await bob.isTold(/mail/i)
    const { link } = await site.mails.next(bob.email, /unlock/i)
    await bob.unlockBy(link)
    await bob.signIn()
  })
})
