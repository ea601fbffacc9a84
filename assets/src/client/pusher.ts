/**
 * The browser client of a pusher-lite server: sockets, channels and presence, with the interface of ExPusherLite's
 * client.
 *
 * @packageDocumentation
 */
import { Presence, Socket } from "phoenix";
import type { Channel, Push, SocketConnectOption } from "phoenix";

import { resolveEndpoint } from "./endpoint";
import { JwtRefresh } from "./jwt_refresh";
import { Refusals } from "./refusals";

/** One open socket of a user, as the server lists it. */
export interface PresenceMeta {
  /** Unique to this socket and topic. */
  phx_ref: string;
  /** Time at which the socket joined, in milliseconds since 1970. */
  online_at: number;
}

/** A user who is there: one meta for each socket that joined the topic (each tab, each device). */
export interface PresenceEntry {
  metas: PresenceMeta[];
}

/** Users on a topic, by `uniqueUserId`. */
export type PresenceState = Record<string, PresenceEntry>;

/** A user's presence before (for `onJoin`: undefined for the first socket), and the metas that came or went. */
export interface PresenceCallbacks {
  onJoin(id: string, current: PresenceEntry | undefined, joined: PresenceEntry): void;
  onLeave(id: string, current: PresenceEntry, left: PresenceEntry): void;
}

/** Options of {@link PusherLite}. */
export interface PusherLiteOptions {
  /** `name[:port][/prefix]` of the server, without a protocol. Default: where the script was loaded from. */
  host?: string;
  /** A JWT from `POST /api/sessions?channel=true`, or signed by the page's backend with the application's secret. Required. */
  jwt: string;
  /** Id of the user: the key in everyone's presence list. Required; at most one user each. */
  uniqueUserId: string | number;
  /** Connect by `wss:`. Default: as the script or page was loaded. */
  ssl?: boolean;
  /** Passed on to Phoenix's `Socket`; `params` are sent along with those of this client. */
  socketOptions?: Partial<SocketConnectOption>;
  /** Called whenever the connection opens, after a reconnect too. */
  onSocketSuccess?: () => void;
  /** Called whenever connecting fails or the connection breaks. The client reconnects by itself. Default: a warning. */
  onSocketError?: (error: unknown) => void;
  /** Called for a new JWT when the server refuses the one in use, or closes the socket because it has expired. */
  refreshJwt?: () => Promise<string>;
}

/** Options of {@link PusherLite.subscribe}. */
export interface SubscribeOptions extends Partial<PresenceCallbacks> {
  /** Called when the topic is joined, after a reconnect too. */
  onSuccess?: (response: unknown) => void;
  /** Called when the server refuses the join, or does not answer (`{reason: "timeout"}`). Default: a warning. */
  onError?: (response: unknown) => void;
  /** Called after every change of presence with who is there now. */
  onSync?: (presence: PresenceState) => void;
}

/** One topic of an application. Made by {@link PusherLite.subscribe}. */
export class PusherLiteChannel implements PresenceCallbacks {
  /** Phoenix's channel, for what this class does not cover. */
  readonly channel: Channel;
  onJoin: PresenceCallbacks["onJoin"] = () => {};
  onLeave: PresenceCallbacks["onLeave"] = () => {};
  onSuccess: (response: unknown) => void = () => {};
  onError: (response: unknown) => void = (response) => warn(`cannot join "${this.topic}"`, response);
  onSync: (presence: PresenceState) => void = () => {};

  private readonly tracked: Presence & { state?: PresenceState };
  private joinPush?: Push;

  constructor(
    readonly topic: string,
    readonly pusher: PusherLite,
    options: SubscribeOptions = {},
  ) {
    this.channel = pusher.socket.channel(`lobby:${pusher.appKey}:${topic}`, {});
    this.configure(options);
    // The callbacks are looked up at each call, so that they can be replaced at any time.
    this.tracked = new Presence(this.channel);
    this.tracked.onJoin((id, current, joined) => this.onJoin(id as string, current, joined));
    this.tracked.onLeave((id, current, left) => this.onLeave(id as string, current, left));
    this.tracked.onSync(() => this.onSync(this.presence));
    this.channel.on("presence_state", (state) => pusher.presenceState?.(state));
    this.channel.on("presence_diff", (diff) => pusher.presenceDiff?.(diff));
  }

  /** Users on the topic. Empty until the topic is joined. */
  get presence(): PresenceState {
    return this.tracked.state ?? {};
  }

  getPresence(): PresenceState {
    return this.presence;
  }

  getTopic(): string {
    return this.topic;
  }

  /** Calls back with the payload of every such event. Returns a number for {@link unbind}. */
  bind<Payload = any>(event: string, callback: (payload: Payload) => void): number {
    if (typeof event !== "string" || event === "") throw misuse("`bind` needs the name of an event");
    if (typeof callback !== "function") throw misuse(`\`bind\` needs a function to call for "${event}"`);
    return this.channel.on(event, callback);
  }

  /** Ends one binding, or without `ref` all of the event. */
  unbind(event: string, ref?: number): void {
    this.channel.off(event, ref);
  }

  /**
   * Joins the topic, and again by itself after every reconnect. Further calls only add the callbacks.
   * Without callbacks here, those of the subscription are called.
   */
  join(onSuccess?: (response: unknown) => void, onError?: (response: unknown) => void): Push {
    this.assertSubscribed();
    const first = this.joinPush === undefined;
    const push = (this.joinPush ??= this.channel.join());
    if (first || onSuccess) push.receive("ok", (response) => (onSuccess ?? this.onSuccess)(response));
    if (first || onError) {
      push.receive("error", (response) => (onError ?? this.onError)(response));
      push.receive("timeout", () => (onError ?? this.onError)({ reason: "timeout" }));
    }
    return push;
  }

  /**
   * Sends an event to everyone on the topic, this client included. While the connection is down it is kept, and sent
   * once the topic is joined again. The server answers only to refuse: `trigger(…).receive("error", callback)`.
   */
  trigger(event: string, payload: object = {}): Push {
    if (typeof event !== "string" || event === "") throw misuse("`trigger` needs the name of an event");
    if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
      throw misuse(`the payload of "${event}" must be an object`);
    }
    this.assertSubscribed();
    if (this.joinPush === undefined) throw misuse(`join "${this.topic}" before triggering events on it`);
    return this.channel.push(event, payload);
  }

  /** Leaves the topic. Subscribing to it again makes a new channel. */
  leave(): Push {
    this.pusher.forget(this);
    return this.channel.leave();
  }

  /** @internal Takes over the callbacks that are given. */
  configure(options: SubscribeOptions): void {
    for (const name of ["onJoin", "onLeave", "onSuccess", "onError", "onSync"] as const) {
      const callback = options[name];
      if (callback === undefined || callback === null) continue;
      if (typeof callback !== "function") throw misuse(`\`${name}\` must be a function`);
      Object.assign(this, { [name]: callback });
    }
  }

  private assertSubscribed(): void {
    if (this.pusher.channels[this.topic] !== this) throw misuse(`"${this.topic}" was left; subscribe to it again`);
  }
}

/** A connection to one application of a pusher-lite server, opened at once and kept open. */
export class PusherLite {
  /** `name[:port][/prefix]` of the server. */
  readonly host: string;
  readonly uniqueUserId: string;
  /** The JWT that the next (re)connect sends; assign a newer one at any time. */
  jwt: string;
  /** The subscriptions by topic. */
  readonly channels: Record<string, PusherLiteChannel> = Object.create(null);
  /** Phoenix's socket, for what this class does not cover. */
  readonly socket: Socket;
  socketSuccess: () => void;
  socketError: (error: unknown) => void;
  /** If set, called with every `presence_state` as the server sent it. */
  presenceState?: (state: PresenceState) => void;
  /** If set, called with every `presence_diff` as the server sent it. */
  presenceDiff?: (diff: { joins: PresenceState; leaves: PresenceState }) => void;

  /** @throws TypeError when something required is missing or malformed. */
  constructor(
    readonly appKey: string,
    options: PusherLiteOptions,
  ) {
    const { jwt, uniqueUserId, socketOptions = {} } = options ?? {};
    if (!isText(appKey)) throw misuse("the application's key is missing: new PusherLite(appKey, options)");
    if (!isText(jwt)) throw misuse("`jwt` is missing: get one from your backend");
    if (!isText(uniqueUserId) && typeof uniqueUserId !== "number") {
      throw misuse("`uniqueUserId` is missing: it names this user in the presence list");
    }
    this.jwt = jwt;
    this.uniqueUserId = String(uniqueUserId);
    this.socketSuccess = options.onSocketSuccess ?? (() => {});
    this.socketError = options.onSocketError ?? ((error) => warn("no connection, trying again", error));

    const endpoint = resolveEndpoint(options.host, options.ssl);
    this.host = endpoint.host;
    this.socket = new Socket(`${endpoint.ssl ? "wss" : "ws"}://${endpoint.host}/socket`, {
      ...socketOptions,
      params: () => this.params(socketOptions.params),
    });
    this.watch(options.refreshJwt);
    this.socket.connect();
  }

  /** The topic's channel, to bind events to and join. A topic has one: asking again returns it, with new callbacks. */
  subscribe(topic: string, options: SubscribeOptions = {}): PusherLiteChannel {
    if (!isText(topic) || topic === "*") throw misuse('`subscribe` needs a topic, such as "general"');
    const existing = this.channels[topic];
    if (existing) {
      existing.configure(options);
      return existing;
    }
    const channel = new PusherLiteChannel(topic, this, options);
    channel.channel.onClose(() => this.forget(channel));
    this.channels[topic] = channel;
    return channel;
  }

  /** Leaves a topic, if it is subscribed to. */
  unsubscribe(topic: string): void {
    this.channels[topic]?.leave();
  }

  /** Joins every topic subscribed to and not joined yet. */
  joinAll(): void {
    for (const channel of Object.values(this.channels)) channel.join();
  }

  /** Closes the connection for good; `socket.connect()` opens it again. */
  disconnect(): void {
    this.socket.disconnect();
  }

  /** @internal Drops a channel that has been left or closed. */
  forget(channel: PusherLiteChannel): void {
    if (this.channels[channel.topic] === channel) delete this.channels[channel.topic];
  }

  /** Read by the socket at every attempt to connect, so that a newer JWT counts. */
  private params(extra: SocketConnectOption["params"] | undefined): object {
    return {
      ...(typeof extra === "function" ? extra() : extra),
      app_key: this.appKey,
      guardian_token: this.jwt,
      unique_identifier: this.uniqueUserId,
    };
  }

  private watch(refreshJwt: PusherLiteOptions["refreshJwt"]): void {
    if (refreshJwt !== undefined && typeof refreshJwt !== "function") throw misuse("`refreshJwt` must be a function");
    const refresh = refreshJwt && new JwtRefresh(this, refreshJwt);
    const refusals = new Refusals(this, refresh);
    let isOpen = false;
    this.socket.onOpen(() => {
      isOpen = true;
      refresh?.opened();
      refusals.opened();
      this.socketSuccess();
    });
    this.socket.onError((error) => this.socketError(error));
    this.socket.onClose((event: { code?: number } | undefined) => {
      const wasOpen = isOpen;
      isOpen = false;
      if (wasOpen) return refresh?.closed(event?.code);
      refresh?.failed();
      refusals.failed();
    });
  }
}

export default PusherLite;

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function misuse(message: string): TypeError {
  return new TypeError(`PusherLite: ${message}`);
}

function warn(message: string, detail: unknown): void {
  console.warn(`PusherLite: ${message}`, detail);
}
