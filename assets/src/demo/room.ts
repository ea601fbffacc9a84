import type PusherLite from "../client/pusher";
import type { PusherLiteChannel } from "../client/pusher";
import "../site/page_modules";
import { fetchJwt } from "./backend";
import type { ChatMessage } from "./snippets";
import { showMessage, showNote, showPeople, showProblem, showState } from "./view";

const EVENT = "new_message";

/** One visitor in the chat, under one name: the presence list knows people by it. */
export class Room {
  private readonly pusher: PusherLite;
  private readonly channel: PusherLiteChannel;
  /** True once the presence list is complete, so that later joins and leaves are news. */
  private settled = false;
  /** Set when the visitor took another name: what this connection still hears is not for the page any more. */
  private over = false;

  constructor(
    appKey: string,
    topic: string,
    jwt: string,
    readonly name: string,
  ) {
    const Client = window.require("pusher_lite").default;
    this.pusher = new Client(appKey, {
      jwt,
      uniqueUserId: name,
      refreshJwt: fetchJwt,
      onSocketError: () => this.lost(),
    });
    this.pusher.socket.onClose(() => this.lost());
    this.channel = this.pusher.subscribe(topic, {
      onSuccess: () => this.joined(),
      onError: (response) => showProblem(`The server refused the topic: ${describe(response)}`),
      onJoin: (id, current) => this.came(id, current === undefined),
      onLeave: (id, current) => this.left(id, current.metas.length === 0),
      onSync: (presence) => {
        if (this.over) return;
        this.settled ||= name in presence;
        showPeople(presence, name);
      },
    });
    this.channel.bind(EVENT, (message: ChatMessage) => {
      showMessage({ name: String(message.name), message: String(message.message) }, message.name === name);
    });
    this.pusher.joinAll();
  }

  /** The JWT in use; it may have been replaced. */
  get jwt(): string {
    return this.pusher.jwt;
  }

  send(message: ChatMessage): void {
    this.channel.trigger(EVENT, message).receive("error", (response) => {
      showProblem(`The server refused the message: ${describe(response)}`);
    });
  }

  leave(): void {
    this.over = true;
    this.pusher.disconnect();
  }

  private joined(): void {
    this.settled = false;
    showProblem("");
    showState("connected");
  }

  private lost(): void {
    if (!this.over) showState("reconnecting");
  }

  private came(id: string, first: boolean): void {
    if (this.settled && !this.over) showNote(first ? `${id} joined` : `${id} joined on another device`);
  }

  private left(id: string, last: boolean): void {
    if (this.settled && !this.over) showNote(last ? `${id} left` : `${id} left on one device`);
  }
}

function describe(response: unknown): string {
  return (response as { reason?: string } | null)?.reason ?? String(response);
}
