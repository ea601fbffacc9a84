/** The live console of an application: what happens on a topic, who is there, and a form to publish. */
import { byId } from "../site/dom";
import { Backend } from "./backend";
import { Connection, type State } from "./connection";
import { LogView } from "./log_view";
import { OwnEvents } from "./own_events";
import { PeopleView } from "./people_view";
import { bringPublishingToLife } from "./publish_form";
import { spellingOf } from "./raw_payload";

const STATE_TEXT: Record<State, string> = {
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Connection lost, trying again",
  refused: "The server refused the topic",
  disconnected: "Disconnected by the application's backend",
  ended: "Access ended: you are signed out, or the application is archived",
};

const { appKey = "", identity = "", path = "", csrfToken = "" } = byId("console").dataset;
const topicField = byId<HTMLInputElement>("topic");
let topic = topicField.value;

const own = new OwnEvents();
const people = new PeopleView(identity);
const log = new LogView(showBehind);
const backend = new Backend(path, csrfToken);
const connection = new Connection(appKey, identity, backend, {
  state: showState,
  event: (where, event, payload) => {
    const isBinary = payload instanceof ArrayBuffer;
    const spelling = isBinary ? `${payload.byteLength} bytes, binary` : spellingOf(payload);
    log.add({ at: new Date(), event, payload: spelling, own: own.heard(where, event, spelling) });
  },
  came: (id, first) => notePerson(first ? `${id} came` : `${id} came with another socket`),
  left: (id, last) => notePerson(last ? `${id} left` : `${id} closed one of their sockets`),
  people: (presence) => people.show(presence),
});

byId("watching").hidden = false;
byId("join").addEventListener("submit", change);
byId<HTMLInputElement>("filter").addEventListener("input", (event) => log.filterBy((event.target as HTMLInputElement).value));
byId("clear").addEventListener("click", () => log.clear());
byId("pause").addEventListener("click", togglePause);
bringPublishingToLife(backend, own, () => topic);
void connection.watch(topic);

/** Another topic, or the same one again; the address follows, so that it can be kept and sent to others. */
function change(submit: Event): void {
  submit.preventDefault();
  const wanted = topicField.value.trim();
  if (wanted === "") return;
  if (wanted !== topic) {
    log.clear();
    people.show({});
  }
  topic = wanted;
  history.replaceState(null, "", `${path}?${new URLSearchParams({ topic })}`);
  for (const field of document.querySelectorAll<HTMLInputElement>("#publish [name='topic']")) field.value = topic;
  for (const text of document.querySelectorAll("[data-topic]")) text.textContent = topic;
  void connection.watch(topic);
}

let shownState: State | undefined;

function showState(state: State, detail?: string): void {
  // Said once, however often it is tried again.
  if (state === shownState) return;
  shownState = state;
  const status = byId("status");
  status.dataset["state"] = state;
  status.textContent = detail ? `${STATE_TEXT[state]}: ${detail}` : STATE_TEXT[state];
  // The presence list is no longer known.
  if (state !== "connected") people.show({});
  if (state === "connected") log.add({ at: new Date(), note: `Watching ${topic}` });
  else if (state !== "connecting") log.add({ at: new Date(), note: status.textContent });
}

function notePerson(note: string): void {
  if (byId<HTMLInputElement>("show-people").checked) log.add({ at: new Date(), note });
}

function togglePause(): void {
  const button = byId("pause");
  const paused = button.textContent === "Pause";
  button.textContent = paused ? "Resume" : "Pause";
  log.pause(paused);
}

function showBehind(waiting: number): void {
  byId("behind").textContent = waiting === 0 ? "" : `${waiting} new`;
}
