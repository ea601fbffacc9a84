// The chat's own server, over HTTP, with a pusher-lite that is none.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, beforeEach, mock, test } from "node:test";

import { createChat } from "../src/chat.js";
import { PusherLite } from "../src/pusher_lite.js";
import { SignIn } from "../src/sign_in.js";
import { APP_KEY, FakePusherLite, TOKEN } from "./fake_pusher_lite.js";

const cookieSecret = "x".repeat(32);
const JSON_TYPE = { "Content-Type": "application/json" };
const FORM_TYPE = { "Content-Type": "application/x-www-form-urlencoded" };

let fake, chat, url;

before(() => mock.method(console, "error", () => {}));
after(() => mock.restoreAll());
beforeEach(async () => {
  fake = await FakePusherLite.start();
  chat = createChat({ cookieSecret, pusher: fake.settings }, new PusherLite(fake.settings)).listen(0, "127.0.0.1");
  await once(chat, "listening");
  url = `http://127.0.0.1:${chat.address().port}`;
});
afterEach(async () => {
  chat.close();
  chat.closeAllConnections();
  await fake.stop();
});

const post = (path, body, headers) => fetch(url + path, { method: "POST", body, headers, redirect: "manual" });

async function signedIn(name) {
  const response = await post("/sign-in", `name=${encodeURIComponent(name)}`, FORM_TYPE);
  assert.equal(response.status, 303);
  return response.headers.get("set-cookie").split(";")[0];
}

test("a visitor signs in by name, chats, and signs out", async () => {
  const first = await fetch(url);
  assert.match(await first.text(), /Join the chat/);

  const cookie = await signedIn("  Ann \n Bo ");
  const page = await (await fetch(url, { headers: { cookie } })).text();
  assert.match(page, /data-name="Ann Bo"/);
  assert.match(page, new RegExp(`data-app-key="${APP_KEY}"`));
  assert.ok(page.includes(`<script src="${fake.url}/js/pusher.js" defer>`));

  const out = await post("/sign-out", "", { cookie });
  assert.match(out.headers.get("set-cookie"), /^chat=; .*Max-Age=0/);
});

test("the cookie is kept from scripts and other sites, and secure behind TLS", async () => {
  const plain = await post("/sign-in", "name=Ann", FORM_TYPE);
  assert.match(plain.headers.get("set-cookie"), /; HttpOnly; SameSite=Lax$/);
  const tls = await post("/sign-in", "name=Ann", { ...FORM_TYPE, "X-Forwarded-Proto": "https" });
  assert.match(tls.headers.get("set-cookie"), /; Secure$/);
});

test("a cookie that was altered, made with another secret, or is too old signs nobody in", async () => {
  const cookie = await signedIn("Ann");
  const [claims, signature] = cookie.slice("chat=".length).split(".");
  const forged = Buffer.from(JSON.stringify({ name: "Bob", until: 9e15 })).toString("base64url");
  const longAgo = new SignIn(cookieSecret, () => Date.now() - 31 * 24 * 3600 * 1000).cookieFor("Ann");
  for (const value of [
    `chat=${forged}.${signature}`,
    `chat=${claims}`,
    `chat=${claims}.${signature}x`,
    "chat=.",
    new SignIn("y".repeat(32)).cookieFor("Ann").split(";")[0],
    longAgo.split(";")[0],
  ]) {
    const response = await post("/jwt", "{}", { ...JSON_TYPE, cookie: value });
    assert.equal(response.status, 401, value);
  }
  assert.equal(fake.requests.length, 0);
});

test("names are refused with a reason and shown again, as text", async () => {
  for (const [name, reason] of [
    [" ", /enter a name/],
    ["<b>".repeat(20), /longer than 40/],
    ["a\u0000b", /cannot be shown/],
    ["a\u202eb", /cannot be shown/],
  ]) {
    const response = await post("/sign-in", `name=${encodeURIComponent(name)}`, FORM_TYPE);
    assert.equal(response.status, 422);
    const page = await response.text();
    assert.match(page, reason);
    assert.ok(!page.includes("<b>"));
  }
});

test("a name that looks like markup stays text", async () => {
  const name = `"><script>alert('1')</script>`;
  const page = await (await fetch(url, { headers: { cookie: await signedIn(name) } })).text();
  assert.ok(!page.includes("<script>alert"));
  assert.ok(page.includes("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
});

test("a page gets a JWT for channels, and never the token", async () => {
  const cookie = await signedIn("Ann");
  const response = await post("/jwt", "{}", { ...JSON_TYPE, cookie });
  const { jwt } = await response.json();
  assert.equal(fake.sessions[0].query, "?channel=true");
  const again = await (await post("/jwt", JSON.stringify({ refused: jwt }), { ...JSON_TYPE, cookie })).json();
  assert.notEqual(again.jwt, jwt);

  for (const path of ["/", "/chat.js", "/chat.css"]) {
    const text = await (await fetch(url + path, { headers: { cookie } })).text();
    assert.ok(!text.includes(TOKEN) && !text.includes(jwt), path);
  }
});

test("a message is published under the signed-in name", async () => {
  const cookie = await signedIn("Ann");
  const response = await post("/messages", '{"message":" Hi ","name":"Bob"}', { ...JSON_TYPE, cookie });
  assert.equal(response.status, 204);
  assert.deepEqual(fake.calls[0].body, { topic: "general", name: "Ann", message: "Hi", via: "REST" });
});

test("messages that are none are refused before pusher-lite is asked", async () => {
  const cookie = await signedIn("Ann");
  for (const [status, body, type] of [
    [422, "{}", "application/json"],
    [422, '{"message":"  "}', "application/json"],
    [422, '{"message":5}', "application/json"],
    [422, JSON.stringify({ message: "x".repeat(1001) }), "application/json"],
    [400, "[]", "application/json"],
    [400, "{", "application/json"],
    [413, JSON.stringify({ message: "x".repeat(9000) }), "application/json"],
    [413, "x".repeat(3_000_000), "application/json"],
    [415, "message=Hi", "application/x-www-form-urlencoded"],
  ]) {
    const response = await post("/messages", body, { "Content-Type": type, cookie });
    assert.equal(response.status, status, body.slice(0, 40));
    assert.equal(typeof (await response.json()).error, "string");
  }
  assert.equal(fake.requests.length, 0);
});

test("nothing works signed out, or sent by another site", async () => {
  assert.equal((await post("/messages", '{"message":"Hi"}', JSON_TYPE)).status, 401);
  const cookie = await signedIn("Ann");
  const headers = { ...JSON_TYPE, cookie, "Sec-Fetch-Site": "cross-site" };
  assert.equal((await post("/messages", '{"message":"Hi"}', headers)).status, 403);
  assert.equal(fake.requests.length, 0);
});

test("what is wrong with pusher-lite reaches the page", async () => {
  const cookie = await signedIn("Ann");
  fake.session = () => ({ status: 422 });
  const refused = await post("/jwt", "{}", { ...JSON_TYPE, cookie });
  assert.equal(refused.status, 502);
  assert.match((await refused.json()).error, /refused the token in PUSHER_TOKEN/);

  await fake.stop();
  const away = await post("/messages", '{"message":"Hi"}', { ...JSON_TYPE, cookie });
  assert.equal(away.status, 503);
  assert.match((await away.json()).error, /does not answer at .*make run/);
  fake = await FakePusherLite.start();
});

test("addresses and methods that are not there say so", async () => {
  for (const path of ["/nope", "/constructor", "/../package.json", "//"]) {
    assert.equal((await fetch(url + path)).status, 404, path);
  }
  assert.equal((await fetch(`${url}/messages`)).status, 405);
  const head = await fetch(url, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
});

test("a page runs scripts of its own server and of pusher-lite only", async () => {
  const policy = (await fetch(url)).headers.get("content-security-policy");
  assert.ok(policy.includes(`script-src 'self' ${fake.url};`));
  assert.ok(policy.includes(`connect-src 'self' ${fake.url} ${fake.url.replace("http", "ws")};`));
});
