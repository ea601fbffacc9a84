// The whole: pusher-lite, the chat, and people in a real browser.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { missing, PusherLiteProgram, startChat, startChromium } from "./programs.js";

const lacking = missing();
// In CI nothing is left out: what is missing fails there when it is started.
const skip = !process.env.CI && lacking ? `left out: ${lacking}` : false;

describe("two people in a browser", { skip, timeout: 120_000 }, () => {
  let pusherLite, chat, browser, ann, bob;
  const seen = [];

  before(async () => {
    assert.equal(lacking, undefined);
    pusherLite = await new PusherLiteProgram().start();
    chat = await startChat(pusherLite);
    browser = await startChromium();
    ann = await enter("Ann");
    bob = await enter("Bob");
  });
  after(async () => {
    await browser?.close();
    await chat?.stop();
    await pusherLite?.remove();
  });

  /** A window with cookies of its own, signed in and connected. */
  async function enter(name) {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on("response", async (response) => {
      const body = await response.text().catch(() => "");
      seen.push(response.url(), JSON.stringify(response.headers()), body);
    });
    page.on("pageerror", (error) => assert.fail(`${name}'s page: ${error.stack}`));
    await page.goto(chat.url);
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText("Connected", { exact: true }).waitFor();
    return page;
  }

  async function say(page, text, button = "Send") {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: button, exact: true }).click();
  }

  const message = (page, name, text) =>
    page.locator(".message").filter({ has: page.getByText(name, { exact: true }) }).filter({ hasText: text });
  const person = (page, name) => page.getByRole("listitem").filter({ hasText: name });

  test("both see each other", async () => {
    for (const page of [ann, bob]) {
      await person(page, "Ann").waitFor();
      await person(page, "Bob").waitFor();
    }
    await ann.getByText("Bob joined").waitFor();
  });

  test("what one sends down the socket arrives at both", async () => {
    await say(ann, "Hello down the socket");
    for (const page of [ann, bob]) await message(page, "Ann", "Hello down the socket").waitFor();
  });

  test("what one sends through REST arrives at both, and says so", async () => {
    await say(bob, "Hello through REST", "Send through REST");
    for (const page of [ann, bob]) await message(page, "Bob", "Hello through REST").getByText("REST", { exact: true }).waitFor();
  });

  test("markup arrives as text", async () => {
    const markup = `<img src="x" onerror="document.title = 'hacked'">`;
    await say(ann, markup);
    await say(ann, markup, "Send through REST");
    await message(bob, "Ann", markup).nth(1).waitFor();
    assert.equal(await bob.locator("img[onerror]").count(), 0);
  });

  test("a third comes, opens a second window, and goes", async () => {
    const eve = await enter("Eve");
    await ann.getByText("Eve joined").waitFor();
    const second = await eve.context().newPage();
    await second.goto(chat.url);
    await person(ann, "Eve").getByText("2 windows").waitFor();
    await second.close();
    await person(ann, "Eve").getByText("2 windows").waitFor({ state: "detached" });
    await eve.context().close();
    await ann.getByText("Eve left").waitFor();
    await person(ann, "Eve").waitFor({ state: "detached" });
  });

  test("a restart of pusher-lite is survived", async () => {
    await pusherLite.stop();
    for (const page of [ann, bob]) await page.getByText("Reconnecting").waitFor();
    await pusherLite.start();
    for (const page of [ann, bob]) await page.getByText("Connected", { exact: true }).waitFor();
    for (const page of [ann, bob]) {
      await person(page, "Ann").waitFor();
      await person(page, "Bob").waitFor();
    }
    await say(bob, "Back again");
    await message(ann, "Bob", "Back again").waitFor();
    await say(ann, "Back through REST", "Send through REST");
    await message(bob, "Ann", "Back through REST").waitFor();
  });

  test("the token never reached a browser", () => {
    assert.ok(seen.some((text) => text.includes('"jwt"')));
    for (const text of seen) assert.ok(!text.includes(pusherLite.token), text.slice(0, 200));
  });
});
