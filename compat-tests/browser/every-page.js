// Addresses of the site's pages, with something on each of them.

import assert from "node:assert/strict"
import { installDemo } from "../target/installation.js"

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

/**
 * @param {object} site
 * @param {Person} member who is signed in, and gets something to show on every page
 * @param {Person} root
 * @param {object} demo from {@link startWithMailbox}
 * @returns {Promise<Record<string, string[]>>} the paths, or addresses where the site has no such page, by who can go there
 */
export async function everyPage(site, member, root, demo) {
  const everybody = [...(await forVisitors(site, member)), ...(await inMailbox(site, demo))]
  return { everybody, "a member": await forMembers(member), root: await forRoot(root) }
}

/** Another server, whose mails stay where they are. */
export const startWithMailbox = () => installDemo()

async function inMailbox(site, demo) {
  const visitor = await site.visitor("Cleo")
  await visitor.goTo(`${demo.url}/passwords/new`)
  await visitor.fill({ "Email address": "admin@example.com" })
  await visitor.press("Send the mail")
  await visitor.goTo(`${demo.url}/dev/mailbox`)
  const mail = visitor.page.locator('main a[href^="/dev/mailbox/"]').first()
  return [`${demo.url}/dev/mailbox`, new URL(await mail.getAttribute("href"), demo.url).href]
}

/** With links of mails that are still good. */
async function forVisitors(site, member) {
  const ben = await site.visitor("Ben")
  await member.invite(ben.email)
  const { link: invitation } = await site.mails.next(ben.email, /invites you/i)
  await ben.goTo("/passwords/new")
  await ben.fill({ "Email address": member.email })
  await ben.press("Send the mail")
  const { link: reset } = await site.mails.next(member.email, /new password/i)
  const newcomer = await site.visitor("Gwen")
  await newcomer.signUp()
  const { link: confirmation } = await site.mails.next(newcomer.email, /confirm/i)
  return [...FOR_EVERYBODY, invitation, reset, confirmation]
}

async function forMembers(member) {
  await member.createToken()
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
    await pathToSendAgain(member, organization),
  ]
}

async function pathToSendAgain(member, organization) {
  await member.goTo(organization)
  return member.page.locator('form[action$="/resend"]').first().getAttribute("action")
}

async function forRoot(root) {
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
