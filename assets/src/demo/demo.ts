/** `/demo`: a small chat on one topic, sent down the socket or through REST. */
import { byId } from "../site/dom";
import { fetchJwt, publish } from "./backend";
import { rememberedName, rememberName } from "./names";
import { Room } from "./room";
import { asCurl, asTrigger, type ChatMessage } from "./snippets";
import { showProblem, showState } from "./view";

/** Waits between attempts to get the first JWT, in milliseconds; the last one repeats. */
const RETRY_MS = [500, 1000, 2000, 5000];

const { appKey = "", topic = "", eventUrl = "" } = byId("main").dataset;
const input = byId<HTMLInputElement>("message");
const nameInput = byId<HTMLInputElement>("name");
let room: Room | undefined;

void start();

async function start(): Promise<void> {
  nameInput.value = rememberedName();
  byId("chat").hidden = false;
  byId("composer").addEventListener("submit", (event) => void submit(event as SubmitEvent));
  byId("identity").addEventListener("submit", rename);
  input.addEventListener("input", showSnippets);
  nameInput.addEventListener("input", showSnippets);
  showSnippets();
  showState("connecting");
  enter(await firstJwt());
}

async function firstJwt(): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await fetchJwt();
    } catch {
      showState("unreachable");
      await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
    }
  }
}

function enter(jwt: string): void {
  room = new Room(appKey, topic, jwt, rememberedName());
}

/** The name is the presence key and fixed for a socket, so another name is another socket. */
function rename(event: Event): void {
  event.preventDefault();
  const name = nameInput.value.trim();
  nameInput.value = name || rememberedName();
  if (!name || name === room?.name) return;
  rememberName(name);
  if (!room) return;
  const { jwt } = room;
  room.leave();
  showState("connecting");
  enter(jwt);
}

async function submit(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const message = current();
  if (!room || message.message === "") return;
  showProblem("");
  try {
    if (event.submitter?.id === "send-rest") await publish(message);
    else room.send(message);
  } catch (error) {
    showProblem(`Not sent: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  input.value = "";
  input.focus();
  // The snippets keep showing what was sent until the next one is typed.
}

function current(): ChatMessage {
  return { name: room?.name ?? rememberedName(), message: input.value.trim() };
}

function showSnippets(): void {
  const { name, message } = current();
  const payload = { name, message: message || "Hello" };
  byId("as-trigger").textContent = asTrigger(payload);
  byId("as-curl").textContent = asCurl(eventUrl, topic, payload);
}
