import { byId, element } from "../site/dom";
import { Backlog } from "./backlog";
import { prettyJson } from "./pretty_json";

/** Older rows leave the page, so that a console left open overnight stays quick. */
const MAX_ROWS = 500;
/** Rows added between two frames of the screen; more wait, so that the page can be used while a topic is busy. */
const ROWS_A_FRAME = 40;
/** Characters shown of a payload. */
const MAX_SHOWN = 20_000;
/** A payload of more lines is folded. */
const FOLD_FROM = 14;
/** Distance from the end, in pixels, that counts as reading the newest rows. */
const FOLLOW_WITHIN = 80;

/** Something to show: an event with its payload as it was spelled, or a remark of the console. */
export interface Entry {
  at: Date;
  event?: string;
  payload?: string;
  own?: boolean;
  note?: string;
}

/** The list of what happened. */
export class LogView {
  private readonly list = byId("events");
  private readonly backlog = new Backlog<Entry>(MAX_ROWS);
  private filter = "";
  private scheduled = false;

  constructor(private readonly onBehind: (waiting: number) => void) {}

  add(entry: Entry): void {
    this.backlog.add(entry);
    if (this.backlog.paused) this.onBehind(this.backlog.size);
    else this.schedule();
  }

  /** Stops showing what arrives, or goes on with what has arrived meanwhile. */
  pause(paused: boolean): void {
    this.backlog.pause(paused);
    this.onBehind(paused ? this.backlog.size : 0);
    this.schedule();
  }

  clear(): void {
    this.backlog.clear();
    this.list.replaceChildren();
    this.onBehind(0);
  }

  /** Shows the events alone whose names have this text in them; the others stay in the list, hidden. */
  filterBy(text: string): void {
    this.filter = text.trim().toLowerCase();
    for (const row of this.list.children) this.hideUnlessWanted(row as HTMLElement);
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.show();
    });
  }

  private show(): void {
    const skipped = this.backlog.takeSkipped();
    const entries = this.backlog.take(ROWS_A_FRAME);
    const rows = entries.map(rowOf);
    if (skipped > 0) rows.unshift(rowOf({ at: new Date(), note: `${skipped} older events are not shown: too many arrived at once` }));
    if (rows.length === 0) return;
    rows.forEach((row) => this.hideUnlessWanted(row));
    const follows = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < FOLLOW_WITHIN;
    this.list.append(...rows);
    while (this.list.childElementCount > MAX_ROWS) this.list.firstElementChild?.remove();
    if (follows) this.list.scrollTop = this.list.scrollHeight;
    if (this.backlog.size > 0) this.schedule();
  }

  private hideUnlessWanted(row: HTMLElement): void {
    const event = row.dataset["event"];
    row.hidden = this.filter !== "" && !event?.toLowerCase().includes(this.filter);
  }
}

function rowOf(entry: Entry): HTMLElement {
  const row = element("div", entry.note === undefined ? "live-event" : "live-event live-event-note");
  row.append(clock(entry.at));
  if (entry.note !== undefined) {
    row.append(element("span", "", entry.note));
    return row;
  }
  row.dataset["event"] = entry.event ?? "";
  const name = element("span", "live-event-name", entry.event);
  if (entry.own) name.append(" ", element("span", "badge", "sent from here"));
  row.append(name, payloadOf(entry.payload ?? ""));
  return row;
}

function payloadOf(payload: string): HTMLElement {
  const cut = payload.length - MAX_SHOWN;
  const pretty = prettyJson(payload.slice(0, MAX_SHOWN)) + (cut > 0 ? `\n… and ${cut} more characters` : "");
  const code = element("pre");
  code.tabIndex = 0;
  code.append(element("code", "", pretty));
  const lines = pretty.split("\n").length;
  if (lines < FOLD_FROM) return code;
  const fold = element("details", "live-event-fold");
  fold.append(element("summary", "", `Payload of ${lines} lines`), code);
  return fold;
}

function clock(at: Date): HTMLElement {
  const digits = (value: number, length = 2) => String(value).padStart(length, "0");
  const text = `${digits(at.getHours())}:${digits(at.getMinutes())}:${digits(at.getSeconds())}.${digits(at.getMilliseconds(), 3)}`;
  const time = element("time", "clock", text);
  time.setAttribute("datetime", at.toISOString());
  return time;
}
