import type { PresenceState } from "../client/pusher";
import { byId, element } from "../site/dom";
import type { ChatMessage } from "./snippets";

/** Older entries leave the page, so that a chat left open overnight stays quick. */
const MAX_ENTRIES = 300;

/** Colours of people; the style sheet knows them by number. */
const HUES = 8;

/** Distance from the end, in pixels, that counts as reading the newest messages. */
const FOLLOW_WITHIN = 80;

export type ConnectionState = "connecting" | "connected" | "reconnecting" | "unreachable";

const STATE_TEXT: Record<ConnectionState, string> = {
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  unreachable: "Server unreachable, trying again",
};

export function showState(state: ConnectionState): void {
  const status = byId("status");
  if (status.dataset["state"] !== state || status.textContent === "") status.textContent = STATE_TEXT[state];
  status.dataset["state"] = state;
  for (const id of ["send-socket", "send-rest"]) byId<HTMLButtonElement>(id).disabled = state !== "connected";
}

export function showProblem(text: string): void {
  byId("problem").textContent = text;
}

export function showMessage(message: ChatMessage, own: boolean): void {
  const entry = element("div", own ? "message own" : "message");
  const head = element("p", "message-head");
  head.append(element("strong", "", message.name), timeNow());
  const bubble = element("div", "bubble");
  bubble.append(head, element("p", "message-text", message.message));
  entry.append(avatar(message.name), bubble);
  append(entry);
}

/** Someone came or went. */
export function showNote(text: string): void {
  append(element("p", "note", text));
}

export function showPeople(presence: PresenceState, ownName: string): void {
  const names = Object.keys(presence).sort((a, b) => Number(b === ownName) - Number(a === ownName) || a.localeCompare(b));
  byId("people").replaceChildren(...names.map((name) => person(name, presence[name]?.metas.length ?? 0, ownName)));
  byId("people-count").textContent = String(names.length);
  byId("here").textContent = names.length === 1 ? "Only you online" : `${names.length} online`;
}

function person(name: string, devices: number, ownName: string): HTMLElement {
  const entry = element("li", "person");
  const text = element("span", "person-name", name);
  if (name === ownName) text.append(element("span", "muted", " (you)"));
  entry.append(avatar(name), text);
  if (devices > 1) entry.append(element("span", "devices", `${devices} devices`));
  return entry;
}

function append(entry: HTMLElement): void {
  const list = byId("messages");
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < FOLLOW_WITHIN;
  list.append(entry);
  while (list.childElementCount > MAX_ENTRIES) list.firstElementChild?.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

function avatar(name: string): HTMLElement {
  const initials = name.split(/\s+/, 2).map((word) => [...word][0]?.toUpperCase() ?? "").join("");
  const picture = element("span", "avatar", initials);
  picture.dataset["hue"] = String([...name].reduce((sum, letter) => sum * 31 + (letter.codePointAt(0) ?? 0), 7) % HUES);
  picture.setAttribute("aria-hidden", "true");
  return picture;
}

function timeNow(): HTMLElement {
  const now = new Date();
  const time = element("time", "muted", now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.setAttribute("datetime", now.toISOString());
  return time;
}
