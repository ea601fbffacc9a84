// `/js/pusher.js` as a page's script tag runs it: one global `require`, and the server it came from as the default.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const bundle = readFileSync(new URL("../dist/js/pusher.js", import.meta.url), "utf8");

/** A socket that never opens. */
class DeafSocket {
  readyState = 0;
  close() {}
}

function page({ src = "http://push.example:4000/js/pusher.js", href = "http://app.example/chat", require } = {}) {
  const { protocol, host, pathname } = new URL(href);
  const document = { currentScript: src === null ? null : { src } };
  const timers = { setTimeout: () => 0, clearTimeout: () => {} };
  const scope = { document, location: { protocol, host, pathname }, WebSocket: DeafSocket, URL, console, ...timers };
  if (require) scope.require = require;
  scope.window = scope;
  vm.runInNewContext(bundle, scope);
  return scope;
}

function endPoint(scope, options = {}) {
  const PusherLite = scope.require("pusher_lite").default;
  return new PusherLite("key", { jwt: "jwt", uniqueUserId: "alice", ...options }).socket.endPoint;
}

test("require finds the client and Phoenix's own", () => {
  const { require } = page();
  assert.equal(typeof require("pusher_lite").default, "function");
  assert.equal(require("pusher_lite").PusherLite, require("pusher_lite").default);
  const { Socket, Presence } = require("phoenix");
  assert.equal(typeof Socket, "function");
  assert.equal(typeof Presence.syncDiff, "function");
});

test("require of anything else says what there is", () => {
  const message = 'Cannot find module "jquery": pusher.js provides "pusher_lite" and "phoenix"';
  assert.throws(() => page().require("jquery"), { message });
});

test("the page gets no other global", () => {
  const browser = ["document", "location", "WebSocket", "URL", "console", "setTimeout", "clearTimeout", "window"];
  assert.deepEqual(Object.keys(page()).filter((name) => !browser.includes(name)), ["require"]);
});

for (const [what, options, expected, environment] of [
  ["the script's host and protocol", {}, "ws://push.example:4000/socket/websocket"],
  ["TLS, as the script", {}, "wss://push.example/socket/websocket", { src: "https://push.example/js/pusher.js" }],
  ["the path before the script's", {}, "ws://a.example/rt/socket/websocket", { src: "http://a.example/rt/js/pusher.js?v=1" }],
  ["the page's host where the script is inline", {}, "wss://app.example/socket/websocket", { src: null, href: "https://app.example/" }],
  ["the given host", { host: "other:5000" }, "ws://other:5000/socket/websocket"],
  ["the given host with a path", { host: "other/rt/" }, "ws://other/rt/socket/websocket"],
  ["TLS for a given host on an https page", { host: "other" }, "wss://other/socket/websocket", { href: "https://app.example/" }],
  ["TLS for the script's own host, given", { host: "push.example" }, "wss://push.example/socket/websocket", { src: "https://push.example/js/pusher.js" }],
  ["what `ssl` says: yes", { ssl: true }, "wss://push.example:4000/socket/websocket"],
  ["what `ssl` says: no", { host: "other", ssl: false }, "ws://other/socket/websocket", { href: "https://app.example/" }],
]) {
  test(`the socket's address: ${what}`, () => assert.equal(endPoint(page(environment), options), expected));
}

test("a require that the page has keeps working, and keeps its own Phoenix", () => {
  const own = { jquery: "its jQuery", phoenix: "its Phoenix" };
  const existing = Object.assign((name) => own[name] ?? assert.fail(`no ${name}`), { config: "its settings" });
  const { require } = page({ require: existing });
  assert.equal(require("jquery"), "its jQuery");
  assert.equal(require("phoenix"), "its Phoenix");
  assert.equal(require.config, "its settings");
  assert.equal(typeof require("pusher_lite").default, "function");
  assert.throws(() => require("lodash"), /no lodash/);
});

test("a require that has no Phoenix gets ours", () => {
  const { require } = page({ require: (name) => assert.fail(`no ${name}`) });
  assert.equal(typeof require("phoenix").Socket, "function");
});

test("a Brunch bundle after the script finds its modules and ours", () => {
  const { require } = page();
  require.register("vendor/greet/index.js", (exports) => (exports.hello = (name) => `Hello ${name}`));
  require.register({
    "js/app.js": (exports, require, module) => {
      module.exports = { greet: require("./chat/greet"), PusherLite: require("pusher_lite").default };
    },
    "js/chat/greet.js": (exports, require) => (exports.all = require("../../vendor/greet").hello("all")),
  });
  require.alias("js/app.js", "app");
  assert.equal(require("app").greet.all, "Hello all");
  assert.equal(require("app").PusherLite, require("pusher_lite").default);
  assert.equal(require("js/app"), require("app"));
  assert.ok(require.list().includes("js/chat/greet.js"));
});

test("a Brunch bundle before the script is given ours, and keeps its own Phoenix", () => {
  const first = page().require;
  first.register("phoenix", (exports, require, module) => (module.exports = "its Phoenix"));
  const { require } = page({ require: first, src: "http://second.example/js/pusher.js" });
  assert.equal(require, first);
  assert.equal(require("phoenix"), "its Phoenix");
  const PusherLite = require("pusher_lite").default;
  const pusher = new PusherLite("key", { jwt: "jwt", uniqueUserId: "alice" });
  assert.equal(pusher.host, "second.example");
});
