import type PusherLite from "../client/pusher";
import type { PresenceState, PusherLiteChannel } from "../client/pusher";
import "../site/page_modules";
import { AccessEnded, type Backend } from "./backend";
import { decoder } from "./raw_payload";

export type State = "connecting" | "connected" | "reconnecting" | "refused" | "disconnected" | "ended";

/** Receiver of the events of a topic. */
export interface Listener {
  state(state: State, detail?: string): void;
  event(topic: string, event: string, payload: unknown): void;
  came(id: string, first: boolean): void;
  left(id: string, last: boolean): void;
  people(presence: PresenceState): void;
}

/** Waits between attempts to get the first JWT, in milliseconds; the last one repeats. */
const RETRY_MS = [500, 1000, 2000, 5000];
/** A server in order opens a WebSocket sooner; else something on the way blocks them, and long-polling may pass. */
const FALLBACK_MS = 4000;
/** Code of a close that an application's own backend asked for. Phoenix's client does not come back then. */
const NORMAL_CLOSURE = 1000;
/** Code of a close because access is lost: the session ended, the member was removed. */
const POLICY_VIOLATION = 1008;

/** The console's connection to its application, on one topic at a time. */
export class Connection {
  private opening: Promise<PusherLite | undefined> | undefined;
  private channel: PusherLiteChannel | undefined;
  private topic = "";
  /** True once the presence list is known, so that later joins and leaves are news. */
  private settled = false;

  constructor(
    private readonly appKey: string,
    private readonly identity: string,
    private readonly backend: Backend,
    private readonly listener: Listener,
  ) {}

  /** Leaves the topic watched so far, and joins another one. */
  async watch(topic: string): Promise<void> {
    this.topic = topic;
    this.channel?.leave();
    this.channel = undefined;
    this.listener.state("connecting");
    const pusher = await (this.opening ??= this.open());
    // Somebody may have changed their mind while it opened.
    if (!pusher || this.topic !== topic || this.channel) return;
    pusher.socket.connect();
    this.join(pusher, topic);
  }

  private async open(): Promise<PusherLite | undefined> {
    const jwt = await this.firstJwt();
    if (jwt === undefined) return undefined;
    const { Serializer } = window.require("phoenix");
    const pusher: PusherLite = new (window.require("pusher_lite").default)(this.appKey, {
      jwt,
      uniqueUserId: this.identity,
      refreshJwt: () => this.backend.fetchJwt(),
      onSocketError: (error) => (error instanceof AccessEnded ? this.end(pusher) : this.lost()),
      socketOptions: {
        longPollFallbackMs: FALLBACK_MS,
        decode: decoder((raw, done) => Serializer.decode(raw, done)),
      },
    });
    pusher.socket.onClose(({ code }) => {
      if (code === NORMAL_CLOSURE) return this.disconnected();
      this.lost();
      if (code === POLICY_VIOLATION) void this.renew(pusher);
    });
    return pusher;
  }

  /** Asks for another JWT, since the one in use may have ended with its session; a page that gets none is told now. */
  private async renew(pusher: PusherLite): Promise<void> {
    try {
      pusher.jwt = await this.backend.fetchJwt();
    } catch (error) {
      // Anything else is tried again when the JWT is refused.
      if (error instanceof AccessEnded) this.end(pusher);
    }
  }

  private async firstJwt(): Promise<string | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.backend.fetchJwt();
      } catch (error) {
        if (error instanceof AccessEnded) {
          this.end();
          return undefined;
        }
        this.listener.state("reconnecting");
        await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]));
      }
    }
  }

  private join(pusher: PusherLite, topic: string): void {
    const isWatched = () => pusher.channels[topic] === this.channel;
    this.settled = false;
    this.channel = pusher.subscribe(topic, {
      onSuccess: () => {
        this.settled = false;
        this.listener.state("connected");
      },
      onError: (response) => this.listener.state("refused", reason(response)),
      onJoin: (id, current) => {
        if (this.settled && isWatched()) this.listener.came(id, current === undefined);
      },
      onLeave: (id, current) => {
        if (this.settled && isWatched()) this.listener.left(id, current.metas.length === 0);
      },
      onSync: (presence) => {
        if (!isWatched()) return;
        this.settled ||= this.identity in presence;
        this.listener.people(presence);
      },
    });
    // Phoenix calls this with every message of the channel before anyone who is bound to it.
    this.channel.channel.onMessage = (event, payload) => {
      if (isWatched() && !isProtocol(event)) this.listener.event(topic, event, payload);
      return payload;
    };
    this.channel.join();
  }

  private lost(): void {
    if (this.opening) this.listener.state("reconnecting");
  }

  private disconnected(): void {
    if (this.opening) this.listener.state("disconnected");
  }

  /** Nothing is tried again until somebody asks for a topic. */
  private end(pusher?: PusherLite): void {
    this.opening = undefined;
    this.channel = undefined;
    pusher?.disconnect();
    this.listener.state("ended");
  }
}

/** Answers and presence, which the console shows elsewhere. */
function isProtocol(event: string): boolean {
  return /^(phx_|chan_reply_|presence_(state|diff)$)/.test(event);
}

function reason(response: unknown): string {
  return (response as { reason?: string } | null)?.reason ?? String(response);
}
