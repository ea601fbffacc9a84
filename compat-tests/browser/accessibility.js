// Requirements for every page: it fits the window, is accessible to everyone, and causes no complaint of the browser.

import assert from "node:assert/strict"
import fs from "node:fs"
import { createRequire } from "node:module"

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** Impact of axe's findings that fails a test. */
const TOO_BAD = ["serious", "critical"]

/** @param {import("playwright-core").Page} page */
export async function fitsTheWindow(page) {
  const { scroll, client, widest } = await page.evaluate(() => {
    const { scrollWidth: scroll, clientWidth: client } = document.documentElement
    const beyond = [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > client)
    return { scroll, client, widest: beyond.slice(0, 5).map((each) => each.outerHTML.slice(0, 120)) }
  })
  assert.ok(scroll <= client, `${page.url()} is ${scroll} pixels wide in a window of ${client}: ${widest.join(" … ")}`)
}

/** Runs axe in the page. Only a page with scripts on can be looked at. */
export async function isAccessible(page) {
  await page.evaluate(AXE)
  const violations = await page.evaluate(async () => (await window.axe.run()).violations)
  const bad = violations.filter(({ impact }) => TOO_BAD.includes(impact))
  const told = bad.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map(({ html }) => html).join("\n    ")}`)
  assert.equal(bad.length, 0, `axe on ${page.url()}:\n  ${told.join("\n  ")}`)
}
