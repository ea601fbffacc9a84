// Each page once as everyone may have it: on a phone and a desktop, in light and dark, and without JavaScript.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { fitsTheWindow, isAccessible } from "./accessibility.js"
import { everyPage, startWithMailbox } from "./every-page.js"
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

describe("every page", { skip: siteLeftOut() }, () => {
  let site, member, root, paths, demo

  before(async () => {
    site = await openSite()
    member = await site.member("Ann")
    root = await site.root()
    demo = await startWithMailbox()
    paths = await everyPage(site, member, root, demo)
  })
  after(async () => {
    await site?.close()
    await demo?.dispose()
  })

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
