import assert from "node:assert/strict";
import { test } from "node:test";

import { readSettings, SettingError } from "../src/settings.js";

const REQUIRED = { PUSHER_TOKEN: "secret", PUSHER_APP_KEY: "key" };

test("all but the token and the key have defaults", () => {
  const { cookieSecret, ...settings } = readSettings({ ...REQUIRED, PORT: "" });
  assert.deepEqual(settings, {
    host: "127.0.0.1",
    port: 3000,
    pusher: { url: "http://localhost:4000", organization: "acme-inc", appKey: "key", token: "secret" },
  });
  assert.notEqual(cookieSecret, readSettings(REQUIRED).cookieSecret);
});

test("an address may have a path", () => {
  assert.equal(readSettings({ ...REQUIRED, PUSHER_URL: "https://a.example/rt/" }).pusher.url, "https://a.example/rt");
});

for (const [env, message] of [
  [{ PUSHER_TOKEN: "" }, /^PUSHER_TOKEN must be set.*make run/],
  [{ PUSHER_APP_KEY: "" }, /^PUSHER_APP_KEY must be set/],
  [{ PORT: "http" }, /^PORT must be a number/],
  [{ PORT: "70000" }, /^PORT must be a number/],
  [{ PUSHER_URL: "localhost:4000" }, /^PUSHER_URL must be the address/],
  [{ PUSHER_URL: "http://user:secret@a.example" }, /^PUSHER_URL must be the address/],
  [{ COOKIE_SECRET: "secret" }, /^COOKIE_SECRET must have at least 32/],
]) {
  test(`${JSON.stringify(env)} is refused`, () => {
    assert.throws(() => readSettings({ ...REQUIRED, ...env }), (error) => {
      assert.ok(error instanceof SettingError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
}
