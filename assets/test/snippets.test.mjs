// The commands that the demo shows are pasted into terminals: a shell must read them as they are meant.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const source = fileURLToPath(new URL("../src/demo/snippets.ts", import.meta.url));
const { outputFiles } = await build({ entryPoints: [source], bundle: true, format: "esm", write: false });
const { asCurl, asTrigger } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);

const payload = { name: "Zoë O'Neil", message: `"$HOME" \`id\` \\ 'quoted' & 100% \n two lines` };

/** What a shell gives to a command named `curl`. */
function argumentsOf(command) {
  const script = `JWT=a-jwt; curl() { printf '%s\\0' "$@"; }; ${command}`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

test("curl gets the address, the JWT and the payload whatever was typed", () => {
  const args = argumentsOf(asCurl("http://localhost:4000/api/event/new_message", "general", payload));
  assert.deepEqual(args.slice(0, 4), ["-X", "POST", "-H", "Authorization: Bearer a-jwt"]);
  assert.equal(args.at(-1), "http://localhost:4000/api/event/new_message");
  assert.deepEqual(JSON.parse(args[args.indexOf("-d") + 1]), { topic: "general", ...payload });
});

test("the call on the channel sends the payload whatever was typed", () => {
  const sent = [];
  new Function("general", asTrigger(payload))({ trigger: (event, body) => sent.push(event, body) });
  assert.deepEqual(sent, ["new_message", payload]);
});
