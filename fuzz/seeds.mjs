// Writes the seeds of the fuzz targets anew, from the recordings: one for each kind of message that was seen there;
// and those that no recording has.
// Run as: node fuzz/seeds.mjs

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const fixtures = new URL(process.argv[2] ?? "../compat-tests/fixtures/", import.meta.url);
const folder = new URL("seeds/", import.meta.url);
const largest = 1200;

const steps = (file) =>
  JSON.parse(readFileSync(new URL(file, fixtures))).scenarios.flatMap(({ scenario, steps }) =>
    steps.map((step) => ({ ...step, scenario, file })),
  );
const all = [...steps("ws.json"), ...steps("v2.json")];
const requests = JSON.parse(readFileSync(new URL("http.json", fixtures))).requests.map(({ name, request }) => ({
  ...request,
  scenario: name,
}));
const sent = all.filter((step) => step.dir === ">");
const received = all.filter((step) => step.dir === "<");

const text = (step) => step.text ?? step.body ?? JSON.stringify(step.json);
const isVersion1 = (step) => (step.json ? !Array.isArray(step.json) : step.file === "ws.json");
const isJson = ({ headers, json, body = json }) =>
  body !== undefined && !JSON.stringify(body).includes("…") && headers?.["Content-Type"] === "application/json";
const texts = sent.filter((step) => step.op === "text" && !step.text?.includes("…"));

const controls = '{"topic":"t\t","event":"e","payload":{"a\u0001":"b\n\\"c\\\\"},\n"ref":"1"}';
const duplicates = '{"token":"a","token":"b","o":[{"a":1,"a":{"b":2}}]}';

write("v1_text", [...texts.filter(isVersion1), { scenario: "control characters", text: controls }], text);
write("v2_text", texts.filter((step) => !isVersion1(step)), text);
write("v2_binary", sent.filter((step) => step.op === "binary"), binary);
write("versions", received.filter((step) => step.op === "text" && step.json), lines);
write("vsn", sent.filter((step) => /[?&]vsn=/.test(step.connect ?? "")), vsn);
write("connect", sent.filter((step) => step.connect?.includes("?")), query);
write(
  "json_body",
  [
    ...requests.filter(isJson),
    { scenario: "control characters", body: controls },
    { scenario: "duplicate names", body: duplicates },
  ],
  text,
);
const emptyLines = Array(150).fill("");
write(
  "batch",
  [...all.filter((step) => step.ndjson), { scenario: "many empty lines", ndjson: [...emptyLines, "e30=", ...emptyLines] }],
  batch,
);

writeTexts("jwt", {
  ours: `{"aud":"User:1","exp":4102444800,"iat":1,"iss":"ExPusherLite","jti":"a","pem":{"admin":-1,"default":-1},"sub":"User:1","tid":7,"typ":"access"}`,
  channel: `{"pem":{"default":3},"sub":"User:2147483648"}`,
  names: `{"pem":{"default":["join_channel","send_message"],"admin":["api_admin"]},"sub":"User:-1"}`,
  expired: `{"exp":1,"iss":"ExPusherLite","sub":"User:1"}`,
  "not yet": `{"nbf":4102444800,"sub":"User:1"}`,
  "odd times": `{"exp":"tomorrow","iat":null,"nbf":1e300,"sub":1}`,
  "other issuer": `{"iss":"somebody else","sub":"User:1"}`,
  twice: `{"sub":"User:1","sub":"User:2"}`,
  "no algorithm": `{"alg":"none","typ":"JWT"}\n{"sub":"User:1"}`,
  "other algorithm": `{"alg":"HS256","typ":"JWT"}\n{"sub":"User:1"}`,
  "more in the header": `{"alg":"HS512","kid":"1","crit":["b64"],"jwk":{}}\n{"sub":"User:1"}`,
  "a JWT": "eyJhbGciOiJub25lIn0.e30.",
});
writeTexts("cookies", {
  one: "pusher_lite_session=abc.def",
  several: `a=1; b="2"; ; =; c; b=3; d=4=5`,
  escaped: "a=%20%zz; \u00e9=\u2603",
  signed: "flash=eyJraW5kIjoibm90aWNlIn0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
});
writeTexts("forwarded", {
  client: "203.0.113.9",
  list: "6.6.6.6, 203.0.113.9,10.0.0.2",
  "with ports": "6.6.6.6:80, [2001:db8::1]:443, [::1], ::ffff:10.0.0.1",
  unknown: "unknown, _hidden, , 10.0.0.1",
  schemes: "https, http, WSS",
  networks: "10.0.0.0/8, 192.0.2.0/24, fd00::/8, ::/0",
});

/** Texts by what they show. */
function writeTexts(target, texts) {
  rmSync(new URL(`${target}/`, folder), { recursive: true, force: true });
  mkdirSync(new URL(`${target}/`, folder), { recursive: true });
  Object.entries(texts).forEach(([name, text], at) => {
    const file = `${String(at + 1).padStart(2, "0")}-${name.toLowerCase().replaceAll(" ", "-")}`;
    writeFileSync(new URL(`${target}/${file}`, folder), text);
  });
}

function write(target, steps, content) {
  rmSync(new URL(`${target}/`, folder), { recursive: true, force: true });
  mkdirSync(new URL(`${target}/`, folder), { recursive: true });
  const seen = new Set();
  let count = 0;
  for (const step of steps) {
    const seed = Buffer.from(withoutPlaceholders(content(step)));
    const news = features(step, seed).filter((feature) => !seen.has(feature));
    if (seed.length > largest || news.length === 0) continue;
    news.forEach((feature) => seen.add(feature));
    count += 1;
    const name = step.scenario.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
    writeFileSync(new URL(`${target}/${String(count).padStart(2, "0")}-${name}`, folder), seed);
  }
  console.log(`${target}: ${count}`);
}

// What tells messages apart: the kinds of their parts. What is no message is unlike every other.
function features({ connect, json, frame }, seed) {
  const message = json ?? frame ?? (connect?.includes("&") && Object.fromEntries(new URLSearchParams(seed.toString())));
  if (!message) return [seed.toString("latin1")];
  const parts = Object.entries(message);
  const kinds = parts.map(([part, value]) => `${part} ${part === "kind" ? value : kindOf(value)}`);
  return [...kinds, parts.map(([part]) => part).join()];
}

function kindOf(part) {
  if (part === null || Array.isArray(part)) return JSON.stringify(part);
  if (typeof part === "object") return Object.keys(part).length === 0 ? "{}" : "object";
  if (typeof part !== "string") return typeof part;
  if (/["\\\u0080-\uffff]/.test(part)) return "escaped";
  return part.length > 200 ? "long" : part === "" ? "empty" : "string";
}

function binary({ hex, frame }) {
  if (hex !== undefined) return Buffer.from(hex, "hex");
  const names = [frame.join_ref, frame.ref, frame.topic, frame.event].map((name) => Buffer.from(withoutPlaceholders(name)));
  const data = Buffer.from(frame.data.replace(/….*/, ""), "hex");
  return Buffer.concat([Buffer.from([frame.kind, ...names.map((name) => name.length)]), ...names, data]);
}

function lines({ json }) {
  const { join_ref = null, ref, topic, event, payload } = Array.isArray(json)
    ? Object.fromEntries(["join_ref", "ref", "topic", "event", "payload"].map((name, i) => [name, json[i]]))
    : json;
  return [join_ref, ref, topic, event, payload].map((part) => JSON.stringify(part)).join("\n");
}

function vsn({ connect }) {
  return decodeURIComponent(/[?&]vsn=([^&]*)/.exec(connect)[1]);
}

function query({ connect }) {
  return connect.slice(connect.indexOf("?") + 1);
}

function batch({ ndjson }) {
  const line = (part) => (part.base64_of ? binary({ frame: part.base64_of }).toString("base64") : JSON.stringify(part));
  return ndjson.map((part) => (typeof part === "string" ? part : line(part))).join("\n");
}

function withoutPlaceholders(content) {
  if (Buffer.isBuffer(content)) return content;
  return content.replaceAll(/\{app\d\.app_key\}/g, "key").replaceAll(/\{(?:jwt|token)\.\w+\}/g, "e30.e30.c2ln");
}
