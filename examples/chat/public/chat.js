// The page of the chat: connects, shows who is here and what is said, and sends either down the socket or through REST.
"use strict";

/** Older entries leave the page, so that a chat left open overnight stays quick. */
const MAX_ENTRIES = 300;

/** Waits between attempts to get the first JWT, in milliseconds; the last one repeats. */
const RETRY_MS = [1000, 2000, 5000];

const STATES = { connecting: "Connecting", connected: "Connected", reconnecting: "Reconnecting" };

const byId = (id) => document.getElementById(id);
const { name: ownName, topic, appKey, pusherUrl } = byId("chat").dataset;

start();

async function start() {
  if (typeof require !== "function") {
    showProblem(`Cannot load ${pusherUrl}/js/pusher.js. Start pusher-lite with \`make run\`, then reload this page.`);
    return;
  }
  const channel = connect(await firstJwt());
  byId("composer").addEventListener("submit", (event) => submit(event, channel));
}

function connect(jwt) {
  const PusherLite = require("pusher_lite").default;
  let connected = false;
  const lost = () => {
    showState("reconnecting");
    if (!connected) showProblem(`Cannot connect to ${pusherUrl}, trying again. The chat's terminal may say why.`);
  };
  const pusher = new PusherLite(appKey, {
    jwt,
    uniqueUserId: ownName,
    refreshJwt: () => refreshJwt(pusher.jwt),
    onSocketSuccess: () => (connected = true),
    onSocketError: lost,
  });
  pusher.socket.onClose(lost);

  // Users who were here before are no news. Joins and leaves are news once the list includes this user.
  let settled = false;
  const channel = pusher.subscribe(topic, {
    onSuccess: () => {
      settled = false;
      showProblem("");
      showState("connected");
    },
    onError: (response) => showProblem(`pusher-lite refused the topic: ${response.reason ?? response}.`),
    onJoin: (name, before) => settled && !before && showNote(`${name} joined`),
    onLeave: (name, rest) => settled && rest.metas.length === 0 && showNote(`${name} left`),
    onSync: (presence) => {
      settled ||= Object.hasOwn(presence, ownName);
      showPeople(presence);
    },
  });
  channel.bind("new_message", showMessage);
  pusher.joinAll();
  return channel;
}

async function submit(event, channel) {
  event.preventDefault();
  const message = byId("message").value.trim();
  if (message === "") return;
  showProblem("");
  try {
    if (event.submitter === byId("send-rest")) await post("/messages", { message });
    else sendDownSocket(channel, message);
  } catch (error) {
    showProblem(`Not sent. ${error.message}`);
    return;
  }
  byId("message").value = "";
  byId("message").focus();
}

function sendDownSocket(channel, message) {
  const push = channel.trigger("new_message", { name: ownName, message, via: "socket" });
  push.receive("error", ({ reason }) => showProblem(`Not sent. pusher-lite refused the message: ${reason}.`));
}

/** The chat's server keeps the token to itself and hands out JWTs that open sockets and nothing else. */
async function fetchJwt(refused) {
  const response = await post("/jwt", { refused });
  return (await response.json()).jwt;
}

async function refreshJwt(refused) {
  try {
    return await fetchJwt(refused);
  } catch (error) {
    showProblem(error.message);
    throw error;
  }
}

async function firstJwt() {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await fetchJwt();
    } catch (error) {
      showProblem(error.message);
      await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
    }
  }
}

async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The chat's own server does not answer. Start it again with `npm start`.");
  }
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `The chat's server answered ${response.status}.`);
}

function showState(state) {
  const status = byId("status");
  if (status.dataset.state !== state) status.textContent = STATES[state];
  status.dataset.state = state;
  for (const id of ["send-socket", "send-rest"]) byId(id).disabled = state !== "connected";
}

function showProblem(text) {
  byId("problem").textContent = text;
}

/** Shows a message. It may be anything that another client sent. */
function showMessage({ name = "?", message = "", via }) {
  const head = element("p", "message-head", element("strong", "", String(name)), timeNow());
  if (via === "REST") head.append(element("span", "via", "REST"));
  const own = name === ownName;
  append(element("div", own ? "message own" : "message", head, element("p", "message-text", String(message))));
}

function showNote(text) {
  append(element("p", "note", text));
}

function showPeople(presence) {
  const names = Object.keys(presence).sort((a, b) => (b === ownName) - (a === ownName) || a.localeCompare(b));
  byId("people").replaceChildren(...names.map((name) => person(name, presence[name].metas.length)));
}

function person(name, windows) {
  const entry = element("li", "", element("span", "person-name", name));
  if (name === ownName) entry.append(element("span", "muted", "you"));
  if (windows > 1) entry.append(element("span", "muted", `${windows} windows`));
  return entry;
}

/** Scrolls along, unless somebody is reading further up. */
function append(entry) {
  const log = byId("messages");
  const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(entry);
  while (log.childElementCount > MAX_ENTRIES) log.firstElementChild.remove();
  if (follows) log.scrollTop = log.scrollHeight;
}

function timeNow() {
  const now = new Date();
  const time = element("time", "muted", now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = now.toISOString();
  return time;
}

/** Strings become text, never markup. */
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}
