// The live console without a page: how payloads are read and laid out, what waits, what is one's own, what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const console_ = fileURLToPath(new URL("../src/console", import.meta.url));
const modules = ["backend", "backlog", "connection", "own_events", "pretty_json", "publish_form", "raw_payload"];
const { outputFiles } = await build({
  stdin: { contents: modules.map((name) => `export * from "./${name}";`).join("\n"), resolveDir: console_ },
  bundle: true,
  format: "esm",
  write: false,
});
const { AccessEnded, Backend, Backlog, Connection, decoder, OwnEvents, payloadText, prettyJson, problemOf, Refused, spellingOf } =
  await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);

test("a payload keeps the spelling it was sent with", () => {
  for (const payload of [
    "{}",
    '{"a":1e3,"b":1.0,"c":-0,"d":12345678901234567890,"d":2}',
    String.raw`{"text":"a \" b \\","list":[1,[2,"]"]],"o":{"}":"{"}}`,
    '{ "spaced" : [ ] }',
  ]) {
    const frame = `[null, null ,"lobby:k:a,\\"b]","e,vent",${payload}]`;
    assert.equal(payloadText(frame), payload);
    let heard;
    decoder(() => assert.fail("it is text"))(frame, (message) => (heard = message));
    assert.deepEqual([heard.join_ref, heard.ref, heard.topic, heard.event], [null, null, 'lobby:k:a,"b]', "e,vent"]);
    assert.deepEqual(heard.payload, JSON.parse(payload));
    assert.equal(spellingOf(heard.payload), payload);
  }
  assert.equal(spellingOf({ made: "here" }), '{"made":"here"}');
});

test("frames that are no text are left to Phoenix", () => {
  const frame = new ArrayBuffer(3);
  const decoded = { topic: "t", event: "e", payload: new ArrayBuffer(1) };
  let heard;
  decoder((raw, done) => raw === frame && done(decoded))(frame, (message) => (heard = message));
  assert.equal(heard, decoded);
});

test("JSON is laid out without changing a value", () => {
  assert.equal(prettyJson('{"a":[1e3,{"b":"x, {y}: \\" z"}],"c":{},"d":[ ]}'), [
    "{",
    '  "a": [',
    "    1e3,",
    "    {",
    '      "b": "x, {y}: \\" z"',
    "    }",
    "  ],",
    '  "c": {},',
    '  "d": []',
    "}",
  ].join("\n"));
  assert.equal(prettyJson('{"a":"cut o'), '{\n  "a": "cut o');
  for (const value of [{}, [], { a: [1, { b: null }] }, "text", 5]) {
    assert.equal(prettyJson(JSON.stringify(value)), JSON.stringify(value, null, 2));
  }
});

test("a payload of brackets does not grow beyond measure", () => {
  const deep = "[".repeat(20_000);
  assert.ok(prettyJson(deep).length < 60 * deep.length);
});

test("what waits is bounded, and the oldest goes first", () => {
  const backlog = new Backlog(3);
  for (let n = 1; n <= 5; n += 1) backlog.add(n);
  assert.equal(backlog.size, 5);
  assert.deepEqual([backlog.take(2), backlog.take(9), backlog.takeSkipped(), backlog.takeSkipped()], [[3, 4], [5], 2, 0]);
  assert.equal(backlog.size, 0);
});

test("while it is paused nothing is shown, and then all that fits", () => {
  const backlog = new Backlog(2);
  backlog.pause(true);
  for (const item of ["a", "b", "c"]) backlog.add(item);
  assert.deepEqual([backlog.paused, backlog.take(9), backlog.takeSkipped(), backlog.size], [true, [], 0, 3]);
  backlog.pause(false);
  assert.deepEqual([backlog.take(9), backlog.takeSkipped()], [["b", "c"], 1]);
  backlog.add("d");
  backlog.clear();
  assert.deepEqual(backlog.take(9), []);
});

test("an event is one's own once for each time it was sent", () => {
  const own = new OwnEvents();
  own.sending("t", "e", "{}");
  assert.equal(own.heard("u", "e", "{}"), false);
  assert.equal(own.heard("t", "e", '{"a":1}'), false);
  assert.equal(own.heard("t", "e", "{}"), true);
  assert.equal(own.heard("t", "e", "{}"), false);
  own.sending("t", "e", "{}");
  own.failed("t", "e", "{}");
  assert.equal(own.heard("t", "e", "{}"), false);
  for (let n = 0; n < 60; n += 1) own.sending("t", `e${n}`, "{}");
  assert.deepEqual([own.heard("t", "e9", "{}"), own.heard("t", "e10", "{}")], [false, true]);
});

test("what cannot be published is said before it is sent", () => {
  assert.equal(problemOf({ name: "e", payload: ' {"a": 1}\n' }), undefined);
  assert.deepEqual(problemOf({ name: "", payload: "{}" }), { name: ["can't be blank"] });
  for (const payload of ["[]", "null", "5", '"x"']) {
    assert.deepEqual(problemOf({ name: "e", payload }), { payload: ["must be an object: {…}"] });
  }
  assert.match(problemOf({ name: "e", payload: '{"a":}' }).payload[0], /^is not valid JSON: /);
});

test("the backend is asked as the page's own forms ask it", async (t) => {
  const asked = [];
  const answer = (response) =>
    t.mock.method(globalThis, "fetch", async (...request) => {
      asked.push(request);
      return response;
    });
  const backend = new Backend("/console", "token");

  answer(Response.json({ jwt: "a.b.c" }, { status: 201 }));
  assert.equal(await backend.fetchJwt(), "a.b.c");
  answer(new Response(null, { status: 204 }));
  await backend.publish({ topic: "t", name: "e", payload: '{"a": "ü&"}' });
  assert.deepEqual(asked.map(([path]) => path), ["/console/session", "/console"]);
  const [, { method, headers, body, redirect }] = asked[1];
  assert.deepEqual([method, headers["X-CSRF-Token"], redirect], ["POST", "token", "manual"]);
  assert.deepEqual(Object.fromEntries(body), { topic: "t", name: "e", payload: '{"a": "ü&"}' });

  answer(Response.json({ errors: { payload: ["must be an object"] } }, { status: 422 }));
  await assert.rejects(backend.publish({}), (error) => error instanceof Refused && !!error.errors.payload);
  for (const status of [401, 403, 404]) {
    answer(new Response(null, { status }));
    await assert.rejects(backend.fetchJwt(), AccessEnded);
  }
  answer({ ok: false, type: "opaqueredirect", status: 0 });
  await assert.rejects(backend.fetchJwt(), AccessEnded);
  answer(new Response(null, { status: 503 }));
  await assert.rejects(backend.fetchJwt(), /the server answered 503/);
});

test("a console whose session may have ended asks for another JWT, and says when it gets none", async (t) => {
  const pushers = [];
  class Pusher {
    constructor(appKey, options) {
      this.jwt = options.jwt;
      this.channels = {};
      this.socket = { connect() {}, onClose: (callback) => (this.close = (code) => callback({ code })) };
      pushers.push(this);
    }
    subscribe() {
      return { channel: {}, join() {}, leave() {} };
    }
    disconnect() {
      this.ended = true;
    }
  }
  globalThis.window = { require: (name) => (name === "phoenix" ? { Serializer: {} } : { default: Pusher }) };
  t.after(() => delete globalThis.window);
  const answers = ["first", "second", new Error("503"), new AccessEnded()];
  const backend = {
    async fetchJwt() {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const states = [];
  const connection = new Connection("key", "me", backend, { state: (state) => states.push(state) });
  await connection.watch("t");
  const [pusher] = pushers;
  const closed = async (code) => {
    pusher.close(code);
    await new Promise(setImmediate);
    return [pusher.jwt, states.at(-1), answers.length];
  };
  assert.deepEqual(await closed(1012), ["first", "reconnecting", 3], "a restart asks for nothing");
  assert.deepEqual(await closed(1008), ["second", "reconnecting", 2]);
  assert.deepEqual(await closed(1008), ["second", "reconnecting", 1], "the server may be back later");
  assert.deepEqual(await closed(1008), ["second", "ended", 0]);
  assert.equal(pusher.ended, true);
});
