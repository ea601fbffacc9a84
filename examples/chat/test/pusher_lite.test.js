// The backend's side of pusher-lite: which JWT is used when, and what is said when something is wrong.
import assert from "node:assert/strict";
import { beforeEach, afterEach, test } from "node:test";

import { PusherLite } from "../src/pusher_lite.js";
import { APP_KEY, FakePusherLite, jwt, TOKEN } from "./fake_pusher_lite.js";

const DAY = 24 * 3600 * 1000;

let fake, pusher, now;

beforeEach(async () => {
  fake = await FakePusherLite.start();
  now = 5_000_000_000_000;
  pusher = new PusherLite(fake.settings, () => now);
});
afterEach(() => fake.stop());

test("a page's JWT is one for channels, and the token goes in the body", async () => {
  const given = await pusher.channelJwt();
  const [{ method, query, body }] = fake.sessions;
  assert.deepEqual({ method, query, body }, { method: "POST", query: "?channel=true", body: { token: TOKEN } });
  assert.equal(given, jwt({ iat: 1000, exp: 865000, jti: 1 }));
});

test("publishing sends the payload and the topic with a JWT for the API", async () => {
  await pusher.publish("general", "new message", { name: "Ann", message: "Hi" });
  assert.equal(fake.sessions[0].query, "");
  const { method, path, authorization, body } = fake.calls[0];
  assert.equal(method, "POST");
  assert.equal(path, `/api/organizations/acme-inc/applications/${APP_KEY}/event/new%20message`);
  assert.equal(authorization, `Bearer ${jwt({ iat: 1000, exp: 865000, jti: 1 })}`);
  assert.deepEqual(body, { topic: "general", name: "Ann", message: "Hi" });
});

test("a JWT is used until a tenth of its life is left, whatever the server's clock says", async () => {
  const first = await pusher.channelJwt();
  now += 9 * DAY - 1;
  assert.equal(await pusher.channelJwt(), first);
  now += 1;
  assert.notEqual(await pusher.channelJwt(), first);
  assert.equal(fake.sessions.length, 2);
});

test("requests at the same moment share one new JWT", async () => {
  const given = await Promise.all([pusher.channelJwt(), pusher.channelJwt(), pusher.channelJwt()]);
  assert.equal(new Set(given).size, 1);
  assert.equal(fake.sessions.length, 1);
});

test("a JWT that is due for renewal goes on being used while the server is away, and no longer than it lives", async () => {
  const first = await pusher.channelJwt();
  await fake.stop();
  now += 9.5 * DAY;
  assert.equal(await pusher.channelJwt(), first);
  now += 0.5 * DAY;
  await assert.rejects(pusher.channelJwt(), { status: 503 });
  fake = await FakePusherLite.start();
});

test("a JWT without a lifetime is used once", async () => {
  fake.session = () => ({ status: 201, json: { jwt: "opaque" } });
  assert.equal(await pusher.channelJwt(), "opaque");
  assert.equal(await pusher.channelJwt(), "opaque");
  assert.equal(fake.sessions.length, 2);
});

test("a JWT that a page was refused with is replaced, once for all pages", async () => {
  const first = await pusher.channelJwt();
  const second = await pusher.channelJwt(first);
  assert.notEqual(second, first);
  assert.equal(await pusher.channelJwt(first), second);
  assert.equal(fake.sessions.length, 2);
});

test("a refused JWT is replaced and the event sent again, once", async () => {
  fake.application = (number) => (number === 1 ? { status: 401 } : { status: 204 });
  await pusher.publish("general", "new_message", {});
  assert.equal(fake.sessions.length, 2);
  assert.notEqual(fake.calls[0].authorization, fake.calls[1].authorization);

  fake.application = () => ({ status: 401, json: { errors: { token: ["forbidden"] } } });
  await assert.rejects(pusher.publish("general", "new_message", {}), /may not use acme-inc.*PUSHER_ORGANIZATION/);
  assert.equal(fake.calls.length, 4);
});

test("after an error the next request tries again", async () => {
  fake.session = () => ({ status: 500 });
  await assert.rejects(pusher.channelJwt());
  delete fake.session;
  fake.session = new FakePusherLite().session;
  assert.ok(await pusher.channelJwt());
});

for (const [what, session, message] of [
  ["a refused token", { status: 422, json: { errors: { token: ["invalid"] } } }, /refused the token in PUSHER_TOKEN.*token create/],
  ["another server", { status: 200, json: {} }, /answered 200 to a new session. Is it pusher-lite\? Check PUSHER_URL/],
  ["a server that sends us elsewhere", { status: 307, headers: { Location: "http://127.0.0.1:1/" } }, /answered 307.*PUSHER_URL/],
  ["an answer without a JWT", { status: 201, json: [] }, /answered 201 to a new session/],
]) {
  test(`${what} is explained, without the token`, async () => {
    fake.session = () => session;
    await assert.rejects(pusher.check(), (error) => {
      assert.match(error.message, message);
      assert.equal(error.status, 502);
      assert.doesNotMatch(`${error.message} ${error.stack}`, new RegExp(TOKEN));
      return true;
    });
  });
}

for (const [status, json, message] of [
  [404, { errors: { detail: "Page not found" } }, /acme-inc has no application key. Check PUSHER_APP_KEY/],
  [413, { errors: { detail: "too large" } }, /answered 413: too large/],
  [422, { errors: { event: ["reserved event"] } }, /answered 422: \{"event":\["reserved event"\]\}/],
  [500, undefined, /answered 500: "?no reason given/],
]) {
  test(`a ${status} to an event is explained`, async () => {
    fake.application = () => ({ status, json });
    await assert.rejects(pusher.publish("general", "new_message", {}), { name: "Error", message });
  });
}

test("a server that is not there is explained", async () => {
  const { url } = fake;
  await fake.stop();
  await assert.rejects(pusher.check(), {
    message: `pusher-lite does not answer at ${url}. Start it with \`make run\`, or set PUSHER_URL.`,
    status: 503,
  });
  fake = await FakePusherLite.start();
});
