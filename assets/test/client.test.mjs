// The client, as built for bundlers, against a socket that speaks Phoenix's protocol.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { LongPoll } from "phoenix";
import WebSocket from "ws";

import PusherLite from "../dist/js/pusher.mjs";
import { PhoenixServer } from "./phoenix_server.mjs";

const quick = { transport: WebSocket, reconnectAfterMs: () => 1, rejoinAfterMs: () => 1 };

let server;
let clients;

beforeEach(async () => {
  server = await PhoenixServer.start();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  await server.stop();
});

function connect(options = {}) {
  const client = new PusherLite("app-key", {
    host: server.host,
    jwt: "a-jwt",
    uniqueUserId: "alice",
    onSocketError: () => {},
    ...options,
    socketOptions: { ...quick, ...options.socketOptions },
  });
  clients.push(client);
  return client;
}

/** A callback and the arguments of its calls, each to be awaited. */
function calls() {
  const waiting = [];
  const arrived = [];
  const callback = (...args) => (waiting.length > 0 ? waiting.shift()(args) : arrived.push(args));
  const next = () => (arrived.length > 0 ? Promise.resolve(arrived.shift()) : new Promise((done) => waiting.push(done)));
  return { callback, next, unread: () => arrived.length };
}

/** Resolves when so many attempts to connect have been made. */
function attempts(number) {
  return server.saw(({ kind }) => kind === "connect" && --number === 0);
}

const questions = () => server.count(({ kind }) => kind === "diagnose");

/** The lines that are printed as errors from now on. */
function printed(t) {
  const lines = calls();
  t.mock.method(console, "error", lines.callback);
  return lines;
}

const refusal = (reason, advice = "Do something.", status = 403) => ({ status, reason, advice });

async function joined(client, topic, options = {}) {
  const success = calls();
  const synced = calls();
  const channel = client.subscribe(topic, {
    ...options,
    onSuccess: success.callback,
    onSync: (presence) => client.uniqueUserId in presence && synced.callback(presence),
  });
  channel.join();
  await success.next();
  await synced.next();
  return channel;
}

/** A JWT without a signature: the client only reads `exp`. */
function jwtExpiringAt(exp) {
  return `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.x`;
}

test("the socket is opened with the application, the JWT and the user", async () => {
  connect({ uniqueUserId: 42, socketOptions: { params: { tab: "left", app_key: "other" } } });
  const { path, params } = await server.saw(({ kind }) => kind === "connect");
  assert.equal(path, "/socket/websocket");
  assert.deepEqual(params, {
    app_key: "app-key",
    guardian_token: "a-jwt",
    unique_identifier: "42",
    tab: "left",
    vsn: "2.0.0",
  });
});

test("the options of the caller stay as they were", async () => {
  const socketOptions = { params: { a: 1 }, transport: WebSocket };
  clients.push(new PusherLite("app-key", { host: server.host, jwt: "a-jwt", uniqueUserId: "alice", socketOptions }));
  assert.deepEqual(socketOptions, { params: { a: 1 }, transport: WebSocket });
});

test("onSocketSuccess tells of every opening", async () => {
  const opened = calls();
  connect({ onSocketSuccess: opened.callback });
  await opened.next();
  server.dropAll();
  await opened.next();
});

test("a topic is joined within the application, and events go both ways", async () => {
  const channel = await joined(connect(), "general");
  assert.equal(channel.getTopic(), "general");
  assert.equal((await server.saw(({ event }) => event === "phx_join")).topic, "lobby:app-key:general");

  const heard = calls();
  channel.bind("new_message", heard.callback);
  channel.trigger("new_message", { name: "Alice", message: "Hello" });
  assert.deepEqual((await heard.next())[0], { name: "Alice", message: "Hello" });
  server.publish("lobby:app-key:general", "new_message", { name: "REST", message: "Hi" });
  assert.deepEqual((await heard.next())[0], { name: "REST", message: "Hi" });
});

test("an ended binding is not called any more, the others are", async () => {
  const channel = await joined(connect(), "general");
  const [ended, kept] = [calls(), calls()];
  const ref = channel.bind("ping", ended.callback);
  channel.bind("ping", kept.callback);
  channel.unbind("ping", ref);
  channel.trigger("ping");
  await kept.next();
  assert.equal(ended.unread(), 0);
});

test("joinAll joins what is not joined yet", async () => {
  const client = connect();
  await joined(client, "first");
  const second = calls();
  client.subscribe("second", { onSuccess: second.callback });
  client.joinAll();
  client.joinAll();
  await second.next();
  assert.deepEqual(Object.keys(client.channels), ["first", "second"]);
  assert.equal(server.count(({ event }) => event === "phx_join"), 2);
});

test("subscribing again returns the same channel, with the new callbacks", async () => {
  const client = connect();
  const channel = client.subscribe("general");
  const success = calls();
  assert.equal(client.subscribe("general", { onSuccess: success.callback }), channel);
  channel.join();
  await success.next();
});

test("join takes callbacks of its own, before and after the answer", async () => {
  const channel = connect().subscribe("general");
  const [early, late] = [calls(), calls()];
  channel.join(early.callback);
  await early.next();
  channel.join(late.callback);
  await late.next();
});

test("a refused join calls onError", async () => {
  server.joinable = () => false;
  const refused = calls();
  connect().subscribe("general", { onError: refused.callback }).join();
  assert.deepEqual((await refused.next())[0], { reason: "unauthorized" });
});

test("what the server refuses of a push is told to who pushed", async () => {
  const channel = await joined(connect(), "general");
  const refused = calls();
  channel.trigger("presence_state", {}).receive("error", refused.callback);
  assert.deepEqual((await refused.next())[0], { reason: "reserved event" });
});

test("presence lists every user once, with one meta for each socket", async () => {
  const channel = await joined(connect(), "general");
  assert.deepEqual(Object.keys(channel.getPresence()), ["alice"]);

  const [came, left] = [calls(), calls()];
  channel.onJoin = came.callback;
  channel.onLeave = left.callback;
  const bob = connect({ uniqueUserId: "bob" });
  await joined(bob, "general");
  const [id, before, newcomer] = await came.next();
  assert.deepEqual([id, before, newcomer.metas.length], ["bob", undefined, 1]);

  const bobsPhone = connect({ uniqueUserId: "bob" });
  await joined(bobsPhone, "general");
  const [, current] = await came.next();
  assert.equal(current.metas.length, 1);
  assert.equal(channel.presence.bob.metas.length, 2);

  bob.disconnect();
  assert.equal((await left.next())[1].metas.length, 1);
  bobsPhone.disconnect();
  const [gone, rest] = await left.next();
  assert.deepEqual([gone, rest.metas], ["bob", []]);
  assert.deepEqual(Object.keys(channel.getPresence()), ["alice"]);
});

test("a diff does not make those vanish whom it does not name", async () => {
  await joined(connect({ uniqueUserId: "bob" }), "general");
  const left = calls();
  const channel = await joined(connect(), "general", { onLeave: left.callback });
  await joined(connect({ uniqueUserId: "carol" }), "general");
  const synced = calls();
  channel.onSync = synced.callback;
  if (!("carol" in channel.presence)) await synced.next();
  assert.deepEqual(Object.keys(channel.presence).sort(), ["alice", "bob", "carol"]);
  assert.equal(left.unread(), 0);
});

test("the hooks presenceState and presenceDiff get what the server sent", async () => {
  const client = connect();
  const [state, diff] = [calls(), calls()];
  client.presenceState = state.callback;
  client.presenceDiff = diff.callback;
  client.subscribe("general").join();
  assert.deepEqual((await state.next())[0], {});
  assert.deepEqual(Object.keys((await diff.next())[0].joins), ["alice"]);
});

test("topics are joined again after the connection broke, and what was sent meanwhile arrives", async () => {
  const client = connect();
  const channel = await joined(client, "general");
  const [heard, rejoined] = [calls(), calls()];
  channel.bind("new_message", heard.callback);
  channel.onSuccess = rejoined.callback;
  server.dropAll();
  await new Promise((closed) => client.socket.onClose(closed));
  channel.trigger("new_message", { message: "still here" });
  await rejoined.next();
  assert.deepEqual((await heard.next())[0], { message: "still here" });
});

test("a channel that was left can be subscribed to anew", async () => {
  const client = connect();
  const channel = await joined(client, "general");
  client.unsubscribe("general");
  assert.deepEqual(Object.keys(client.channels), []);
  assert.throws(() => channel.trigger("ping"), /"general" was left/);
  assert.throws(() => channel.join(), /"general" was left/);
  const again = await joined(client, "general");
  assert.notEqual(again, channel);
  assert.equal(client.channels.general, again);
});

test("a newer JWT is sent with the next connect", async () => {
  const client = connect();
  await joined(client, "general");
  client.jwt = "newer";
  server.dropAll();
  await server.saw(({ params }) => params?.guardian_token === "newer");
});

test("an expired JWT is replaced as soon as it is refused", async () => {
  server.accepts = ({ guardian_token }) => guardian_token === "fresh";
  const [asked, opened] = [calls(), calls()];
  connect({
    jwt: jwtExpiringAt(1),
    onSocketSuccess: opened.callback,
    refreshJwt: async () => {
      asked.callback();
      return "fresh";
    },
  });
  await opened.next();
  assert.equal(asked.unread(), 1);
});

test("a JWT that has not expired is replaced at the tenth refusal in a row", async () => {
  server.accepts = ({ guardian_token }) => guardian_token === "fresh";
  const opened = calls();
  const attempts = [];
  connect({
    jwt: jwtExpiringAt(4102444800),
    onSocketSuccess: opened.callback,
    refreshJwt: async () => {
      attempts.push(server.count(({ kind }) => kind === "connect"));
      return "fresh";
    },
  });
  await opened.next();
  assert.deepEqual(attempts, [10]);
});

test("a refresh that fails is reported, and tried again", async () => {
  server.accepts = ({ guardian_token }) => guardian_token === "fresh";
  const [opened, failed] = [calls(), calls()];
  const answers = [() => Promise.reject(new Error("backend down")), async () => undefined, async () => "fresh"];
  connect({
    jwt: jwtExpiringAt(1),
    onSocketSuccess: opened.callback,
    onSocketError: (error) => error instanceof Error && failed.callback(error),
    refreshJwt: () => (answers.shift() ?? (async () => "fresh"))(),
  });
  await opened.next();
  const messages = [(await failed.next())[0].message];
  while (!messages.some((message) => message?.includes("refreshJwt"))) messages.push((await failed.next())[0].message);
  assert.ok(messages.includes("backend down"));
});

test("a JWT that the server refuses is replaced, without waiting for the tenth refusal", async (t) => {
  printed(t);
  for (const reason of ["bad signature", "token not valid", "session ended", "JWT expired at 2026-11-30T06:00:00Z"]) {
    const answered = calls();
    // The second attempt waits for the answer, so that it is refreshed before there are ten.
    server.accepts = ({ guardian_token }) => guardian_token === "fresh" || answered.next().then(() => false);
    answered.callback();
    server.diagnoses = () => refusal(reason);
    const [asked, opened] = [calls(), calls()];
    const client = connect({
      jwt: jwtExpiringAt(4102444800),
      onSocketSuccess: opened.callback,
      refreshJwt: async () => {
        asked.callback();
        answered.callback();
        return "fresh";
      },
    });
    await opened.next();
    assert.equal(asked.unread(), 1, reason);
    client.disconnect();
  }
});

test("another JWT is not asked for where it would not help", async (t) => {
  printed(t);
  for (const answer of [refusal("not enrolled"), refusal("origin not allowed"), refusal("too fast: JWT", "", 429)]) {
    server.diagnoses = () => answer;
    server.accepts = ({ guardian_token }) => guardian_token === "fresh";
    const asked = calls();
    const before = server.count(({ kind }) => kind === "connect");
    const client = connect({
      refreshJwt: async () => {
        asked.callback(server.count(({ kind }) => kind === "connect") - before);
        return "fresh";
      },
    });
    assert.deepEqual(await asked.next(), [10], answer.reason);
    client.disconnect();
  }
});

test("a refused JWT whose successor is refused for the same reason is not replaced again before the tenth refusal", async (t) => {
  const lines = printed(t);
  server.accepts = () => false;
  server.diagnoses = () => refusal("bad signature");
  const asked = calls();
  let made = 0;
  connect({
    refreshJwt: async () => {
      asked.callback(server.count(({ kind }) => kind === "connect"));
      return `jwt-${(made += 1)}`;
    },
  });
  await attempts(19);
  assert.ok(made <= 2, `${made} JWTs`);
  assert.equal(lines.unread(), 1);
});

test("when a socket is closed because its JWT has expired, another one is asked for before anything is refused", async (t) => {
  const lines = printed(t);
  const [asked, opened] = [calls(), calls()];
  const fetched = calls();
  const client = connect({
    onSocketSuccess: opened.callback,
    refreshJwt: async () => {
      asked.callback();
      await fetched.next();
      return "fresh";
    },
  });
  await opened.next();
  server.accepts = ({ guardian_token }) => guardian_token === "fresh";
  server.diagnoses = (jwt) => (jwt === "fresh" ? { status: 200 } : refusal("JWT expired"));
  server.dropAll(4401);
  await asked.next();
  await attempts(4);
  fetched.callback();
  await opened.next();
  assert.equal(client.jwt, "fresh");
  assert.equal(server.count(({ kind, jwt }) => kind === "diagnose" && jwt !== "fresh"), 0, "the reason is known");
  assert.deepEqual([asked.unread(), lines.unread()], [0, 0]);
});

test("a refused socket prints why, once, however often it is tried", async (t) => {
  const lines = printed(t);
  server.accepts = () => false;
  server.diagnoses = () => refusal("not enrolled", "Have an admin invite the user.");
  connect({ uniqueUserId: "a&b", socketOptions: { params: { tab: "left" } } });
  assert.deepEqual(await lines.next(), ["pusher_lite: the socket was refused: not enrolled. Have an admin invite the user."]);
  await attempts(35);
  assert.equal(lines.unread(), 0);
  assert.ok(questions() <= 4, `${questions()} questions for 35 attempts`);
  const { path, params, jwt } = await server.saw(({ kind }) => kind === "diagnose");
  assert.deepEqual([path, params, jwt], [
    "/socket/diagnose",
    { app_key: "app-key", unique_identifier: "a&b", vsn: "2.0.0" },
    "a-jwt",
  ]);
});

test("over long-polling the reason is printed as well", async (t) => {
  const lines = printed(t);
  server.diagnoses = () => refusal("application archived", "Restore it.");
  connect({ socketOptions: { transport: LongPoll } });
  assert.deepEqual(await lines.next(), ["pusher_lite: the socket was refused: application archived. Restore it."]);
});

test("another reason is printed, and the same one again after a socket has opened", async (t) => {
  const lines = printed(t);
  const opened = calls();
  server.accepts = () => false;
  server.diagnoses = () => refusal("JWT expired at 2026-11-30T06:00:00Z", "First.");
  const client = connect({ onSocketSuccess: opened.callback });
  assert.match((await lines.next())[0], /JWT expired at 2026-11-30T06:00:00Z\. First\.$/);
  server.diagnoses = (jwt) => (jwt === "b" ? refusal("JWT expired at 2026-11-30T07:00:00Z") : refusal("not enrolled"));
  client.jwt = "b";
  await server.saw(({ kind, jwt }) => kind === "diagnose" && jwt === "b");
  client.jwt = "c";
  assert.match((await lines.next())[0], /not enrolled/, "the time is no other reason");
  server.accepts = () => true;
  await opened.next();
  server.accepts = () => false;
  server.dropAll();
  assert.match((await lines.next())[0], /not enrolled/);
});

test("an answer that comes after the socket has opened is not printed", async (t) => {
  const lines = printed(t);
  const [answered, opened] = [calls(), calls()];
  server.accepts = () => false;
  server.diagnoses = () => answered.next().then(() => refusal("not enrolled"));
  connect({ onSocketSuccess: opened.callback });
  await server.saw(({ kind }) => kind === "diagnose");
  server.accepts = () => true;
  await opened.next();
  answered.callback();
  server.accepts = () => false;
  server.diagnoses = () => refusal("application archived");
  server.dropAll();
  assert.match((await lines.next())[0], /application archived/);
});

test("a question that is not answered is not told of, and the client goes on", async (t) => {
  const lines = printed(t);
  const answers = [undefined, "no JSON", "null", {}, { status: 200 }, { status: 403, reason: 7 }];
  for (const answer of answers) {
    const opened = calls();
    server.accepts = () => false;
    server.diagnoses = () => {
      server.accepts = () => true;
      return answer;
    };
    const client = connect({ onSocketSuccess: opened.callback });
    await opened.next();
    client.disconnect();
  }
  const fetched = t.mock.method(globalThis, "fetch", () => {
    server.accepts = () => true;
    return Promise.reject(new TypeError("fetch failed"));
  });
  const opened = calls();
  server.accepts = () => false;
  connect({ onSocketSuccess: opened.callback });
  await opened.next();
  assert.deepEqual([questions(), fetched.mock.callCount(), lines.unread()], [answers.length, 1, 0]);
});

test("misuse is answered with what to do", () => {
  const make = (appKey, options) => () => clients.push(new PusherLite(appKey, options));
  const options = { host: server.host, jwt: "a-jwt", uniqueUserId: "alice", socketOptions: quick };
  assert.throws(make("", options), { name: "TypeError", message: /application's key is missing/ });
  assert.throws(make("key", undefined), /`jwt` is missing/);
  assert.throws(make("key", { ...options, jwt: "" }), /`jwt` is missing/);
  assert.throws(make("key", { ...options, uniqueUserId: null }), /`uniqueUserId` is missing/);
  assert.throws(make("key", { ...options, host: "http://example.com" }), /`host` must be "name" or "name:port"/);
  assert.throws(make("key", { ...options, host: undefined }), /`host` is missing/);
  assert.throws(make("key", { ...options, refreshJwt: "later" }), /`refreshJwt` must be a function/);

  const client = connect();
  assert.throws(() => client.subscribe(), /`subscribe` needs a topic/);
  assert.throws(() => client.subscribe("*"), /`subscribe` needs a topic/);
  assert.throws(() => client.subscribe("general", { onJoin: "hello" }), /`onJoin` must be a function/);
  const channel = client.subscribe("general");
  assert.throws(() => channel.trigger("ping", {}), /join "general" before/);
  channel.join();
  assert.throws(() => channel.trigger("ping", [1]), /payload of "ping" must be an object/);
  assert.throws(() => channel.trigger("", {}), /`trigger` needs the name/);
  assert.throws(() => channel.bind("ping"), /`bind` needs a function/);
});
