import type { PresenceState } from "../client/pusher";
import { byId, element } from "../site/dom";

/** Of a crowd the first are shown, in the order of their names, and how many there are. */
const MAX_SHOWN = 100;

/** List of the users on the topic, drawn at most once for each frame of the screen. */
export class PeopleView {
  private latest: PresenceState | undefined;
  private scheduled = false;

  constructor(private readonly identity: string) {}

  show(presence: PresenceState): void {
    this.latest = presence;
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw(this.latest ?? {});
    });
  }

  private draw(presence: PresenceState): void {
    const names = Object.keys(presence).sort();
    const rows = names.slice(0, MAX_SHOWN).map((name) => this.person(name, presence[name]?.metas.length ?? 0));
    if (names.length > MAX_SHOWN) rows.push(element("li", "person muted", `and ${names.length - MAX_SHOWN} more`));
    byId("people").replaceChildren(...rows);
    byId("people-count").textContent = String(names.length);
    byId("people-none").hidden = names.length > 0;
  }

  private person(name: string, sockets: number): HTMLElement {
    const row = element("li", "person");
    const text = element("span", "person-name", name);
    text.title = name;
    if (name === this.identity) text.append(element("span", "muted", " (this console)"));
    row.append(text);
    if (sockets > 1) row.append(element("span", "devices", `${sockets} sockets`));
    return row;
  }
}
