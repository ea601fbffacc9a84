// People of one organization: invited, promoted, removed.

import assert from "node:assert/strict"
import { after, afterEach, before, describe, test } from "node:test"
import { openSite, siteLeftOut } from "./site.js"

describe("colleagues", { skip: siteLeftOut() }, () => {
  let site

  before(async () => (site = await openSite()))
  after(() => site?.close())
  afterEach(() => site?.everybodyLeaves())

  test("somebody new accepts an invitation, works along, and is removed", async () => {
    const ann = await site.member("Ann")
    const application = await ann.createApplication("Chat")
    const ben = await site.visitor("Ben")
    await ann.invite(ben.email)
    const mail = await site.mails.next(ben.email, /invites you/i)
    assert.match(mail.subject, /Ann/)
    await ben.goTo(mail.link)
    await ben.acceptInvitation()

    await ben.goTo(application)
    await ben.page.getByRole("heading", { name: "Chat" }).waitFor()
    assert.equal(await ben.page.locator('[data-copy="Secret"]').count(), 0, "a member sees the secret")
    await ben.goTo(`${application}/console?topic=general`)
    await ben.page.getByText("Connected", { exact: true }).waitFor()

    await ann.goTo(application.replace(/\/applications.*/, ""))
    await ann.memberRow(ben).getByRole("button", { name: /admin/i }).click()
    await ann.isTold(/admin/i)
    const elsewhere = await ben.inAnotherBrowser()
    await elsewhere.signIn()
    await elsewhere.goTo(application)
    await elsewhere.page.locator('[data-copy="Secret"]').waitFor({ state: "attached" })

    await ann.confirmsIn(ann.memberRow(ben), /remove/i)
    await ann.isTold(/removed/i)
    await ben.page.getByText("Connected", { exact: true }).waitFor({ state: "detached" })
    assert.equal((await elsewhere.goTo(application)).status(), 404)
    assert.deepEqual(ann.complaints, [])
  })

  test("somebody who has an account accepts with it", async () => {
    const cleo = await site.member("Cleo")
    const dan = await site.member("Dan")
    await cleo.invite(dan.email)
    const { link } = await site.mails.next(dan.email, /invites you/i)
    await dan.goTo(link)
    await dan.press("Accept the invitation")
    await dan.goTo("/account/organizations")
    await dan.reads(cleo.organization)
    await dan.reads(dan.organization)
  })

  test("an invitation is sent again, and works once", async () => {
    const eve = await site.member("Eve")
    const finn = await site.visitor("Finn")
    await eve.invite(finn.email)
    await site.mails.next(finn.email, /invites you/i)
    await eve.goToOrganization()
    await eve.follow("All pending invitations")
    await eve.press(/^Send again/)
    await eve.isTold(finn.email)
    const { link } = await site.mails.next(finn.email, /invites you/i)
    await finn.goTo(link)
    await finn.acceptInvitation()
    const other = await site.visitor("Other")
    await other.goTo(link)
    await other.isTooLate()
  })

  test("a member who is no admin cannot change the organization", async () => {
    const gil = await site.member("Gil")
    const hal = await site.member("Hal")
    await gil.invite(hal.email)
    const { link } = await site.mails.next(hal.email, /invites you/i)
    await hal.goTo(link)
    await hal.press("Accept the invitation")
    await hal.goTo("/account/organizations")
    await hal.follow(gil.organization)
    await hal.page.getByRole("heading", { name: gil.organization }).waitFor()
    for (const name of [/rename/i, /invite/i, /delete/i, /new application/i]) {
      assert.equal(await hal.page.getByRole("main").getByRole("button", { name }).count(), 0, String(name))
    }
  })
})
