import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { readForm, readJson, RequestError } from "./body.js";
import { MAX_MESSAGE, MAX_NAME } from "./limits.js";
import { chatPage, signInPage } from "./pages.js";
import { PusherLiteError } from "./pusher_lite.js";
import { SignIn } from "./sign_in.js";

/** The one room. A message is an event `new_message` on this topic: `{name, message, via}`. */
const TOPIC = "general";
const EVENT = "new_message";

const FILES = { "/chat.js": "text/javascript", "/chat.css": "text/css", "/icon.svg": "image/svg+xml" };

/** Every address of the chat. A handler takes the exchange and answers it. */
const ROUTES = {
  "/": { GET: showChat },
  "/sign-in": { POST: signIn },
  "/sign-out": { POST: signOut },
  "/jwt": { POST: createJwt },
  "/messages": { POST: createMessage },
  ...Object.fromEntries(Object.entries(FILES).map(([path, type]) => [path, { GET: fileHandler(path, type) }])),
};

/** The HTTP server of the chat, not listening yet. `pusher` is a `PusherLite`. */
export function createChat({ cookieSecret, pusher: { url, appKey } }, pusher) {
  const app = { pusher, appKey, pusherUrl: url, signIn: new SignIn(cookieSecret) };
  const security = {
    "Content-Security-Policy": contentSecurityPolicy(url),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  };
  return createServer({ requestTimeout: 10_000 }, async (request, response) => {
    for (const [name, value] of Object.entries(security)) response.setHeader(name, value);
    try {
      await route(request)({ ...app, request, response, name: app.signIn.nameOf(request) });
    } catch (error) {
      answerError(request, response, error);
    }
  });
}

function showChat({ response, name, appKey, pusherUrl }) {
  sendPage(response, 200, name ? chatPage({ name, topic: TOPIC, appKey, pusherUrl }) : signInPage());
}

async function signIn({ request, response, signIn }) {
  const { name = "" } = await readForm(request);
  const trimmed = name.trim().replace(/\s+/g, " ");
  const problem = problemWithName(trimmed);
  if (problem) return sendPage(response, 422, signInPage({ name, problem }));
  redirectHome(response, signIn.cookieFor(trimmed, isSecure(request)));
}

function signOut({ request, response, signIn }) {
  redirectHome(response, signIn.endingCookie(isSecure(request)));
}

async function createJwt({ request, response, name, pusher }) {
  requireName(name);
  const { refused } = await readJson(request);
  send(response, 200, "application/json", JSON.stringify({ jwt: await pusher.channelJwt(refused) }));
}

/** The name is the signed-in one, whatever the page says. An application would also check and store messages here. */
async function createMessage({ request, response, name, pusher }) {
  requireName(name);
  const { message } = await readJson(request);
  if (typeof message !== "string" || message.trim() === "" || message.length > MAX_MESSAGE) {
    throw new RequestError(422, `message must be a text of 1 to ${MAX_MESSAGE} characters.`);
  }
  await pusher.publish(TOPIC, EVENT, { name, message: message.trim(), via: "REST" });
  response.writeHead(204).end();
}

function fileHandler(path, type) {
  const body = readFileSync(new URL(`../public${path}`, import.meta.url));
  return ({ response }) => send(response, 200, type, body);
}

function problemWithName(name) {
  if (name === "") return "Please enter a name.";
  if (name.length > MAX_NAME) return `The name is longer than ${MAX_NAME} characters.`;
  if (/\p{C}/u.test(name)) return "The name has characters that cannot be shown.";
  return undefined;
}

function requireName(name) {
  if (!name) throw new RequestError(401, "You are signed out. Reload the page to sign in.");
}

function route(request) {
  const path = request.url.split("?")[0];
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (!methods) throw new RequestError(404, "There is no such page.");
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (!Object.hasOwn(methods, method)) throw new RequestError(405, `${request.method} is not possible here.`);
  // A browser says when another site's page sent a request; those could sign people in, or speak in their name.
  if (method === "POST" && ["cross-site", "same-site"].includes(request.headers["sec-fetch-site"])) {
    throw new RequestError(403, "This request came from another site.");
  }
  return methods[method];
}

function answerError(request, response, error) {
  if (response.destroyed) return; // The browser is gone.
  const expected = error instanceof RequestError || error instanceof PusherLiteError;
  if (!(error instanceof RequestError)) console.error(`${request.method} failed:`, expected ? error.message : error);
  if (response.headersSent) return response.destroy();
  // The rest of a body that was not read would be taken for the next request.
  if (!request.complete) response.setHeader("Connection", "close");
  const message = expected ? error.message : "Something went wrong here. The chat's terminal says what.";
  send(response, expected ? error.status : 500, "application/json", JSON.stringify({ error: message }));
}

function sendPage(response, status, page) {
  response.setHeader("Cache-Control", "no-store");
  send(response, status, "text/html", String(page));
}

function send(response, status, type, body) {
  response.writeHead(status, { "Content-Type": `${type}; charset=utf-8` }).end(body);
}

function redirectHome(response, cookie) {
  response.writeHead(303, { Location: "/", "Set-Cookie": cookie }).end();
}

/** Behind a proxy that ends TLS, which says so in this header. */
function isSecure(request) {
  return request.headers["x-forwarded-proto"] === "https";
}

/** Scripts and connections of the page: its own server and pusher-lite, nothing else. */
function contentSecurityPolicy(pusherUrl) {
  const { origin } = new URL(pusherUrl);
  const webSocket = origin.replace(/^http/, "ws");
  return [
    "default-src 'self'",
    `script-src 'self' ${origin}`,
    `connect-src 'self' ${origin} ${webSocket}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}
