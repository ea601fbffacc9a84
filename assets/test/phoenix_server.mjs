// A Phoenix socket (vsn 2.0.0) on a free port, so far as the client's tests need one: it joins, tracks presence, relays
// events, and keeps what it was sent for the tests to wait for.
import { EventEmitter, on, once } from "node:events";
import { createServer } from "node:http";

import { WebSocketServer } from "ws";

export class PhoenixServer {
  #http = createServer();
  #sockets = new WebSocketServer({ noServer: true });
  #events = new EventEmitter();
  #log = [];
  #members = new Map();
  #refs = 0;
  /** Decides by the connect parameters whether a handshake is accepted, and by the topic whether a join is. */
  accepts = () => true;
  joinable = () => true;
  /** Answers questions at `/socket/diagnose`, by the JWT: JSON, a text, or `undefined` as a server that knows no such path. */
  diagnoses = () => undefined;

  static async start() {
    const server = new PhoenixServer();
    server.#http.on("request", (request, response) => server.#answer(request, response));
    server.#http.on("upgrade", (request, stream, head) => server.#upgrade(request, stream, head));
    server.#http.listen(0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get host() {
    return `127.0.0.1:${this.#http.address().port}`;
  }

  /** Resolves to the first thing that happened, or happens, and matches: `{kind, …}`. */
  async saw(matches) {
    const past = this.#log.find(matches);
    if (past) return past;
    for await (const [entry] of on(this.#events, "entry")) if (matches(entry)) return entry;
  }

  count(matches) {
    return this.#log.filter(matches).length;
  }

  /** Sends an event to everyone on the topic, as a publish through REST does. */
  publish(topic, event, payload) {
    for (const { socket } of this.#on(topic)) socket.send(JSON.stringify([null, null, topic, event, payload]));
  }

  /** Breaks every connection, as a restart does. */
  dropAll(code = 1012) {
    for (const socket of this.#sockets.clients) socket.close(code);
  }

  async stop() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, "close");
  }

  #record(entry) {
    this.#log.push(entry);
    this.#events.emit("entry", entry);
  }

  async #answer(request, response) {
    const url = new URL(request.url, "http://server");
    const params = Object.fromEntries(url.searchParams);
    if (url.pathname === "/socket/longpoll") {
      this.#record({ kind: "connect", path: url.pathname, params });
      return response.end('{"status":403,"reason":"refused"}');
    }
    const jwt = request.headers["x-phoenix-authtoken"];
    this.#record({ kind: "diagnose", path: url.pathname, params, jwt });
    const answer = url.pathname === "/socket/diagnose" ? await this.diagnoses(jwt) : undefined;
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  }

  async #upgrade(request, stream, head) {
    const url = new URL(request.url, "http://server");
    const params = Object.fromEntries(url.searchParams);
    this.#record({ kind: "connect", path: url.pathname, params });
    // The client may have gone when it is decided.
    stream.on("error", () => {});
    if (!(await this.accepts(params))) return stream.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    this.#sockets.handleUpgrade(request, stream, head, (socket) => {
      socket.on("message", (frame) => this.#receive(socket, params, JSON.parse(frame)));
      socket.on("close", () => [...this.#members.values()].forEach((member) => this.#untrack(member, socket)));
    });
  }

  #receive(socket, params, [joinRef, ref, topic, event, payload]) {
    this.#record({ kind: "frame", topic, event, payload });
    const reply = (status, response = {}) =>
      socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status, response }]));
    if (event === "phx_join") {
      if (!this.joinable(topic)) return reply("error", { reason: "unauthorized" });
      reply("ok");
      this.#track({ socket, topic, joinRef, id: params.unique_identifier });
    } else if (event === "phx_leave") {
      const member = this.#on(topic).find((one) => one.socket === socket);
      if (member) this.#untrack(member, socket);
      reply("ok");
      socket.send(JSON.stringify([joinRef, joinRef, topic, "phx_close", {}]));
    } else if (event === "heartbeat") {
      reply("ok");
    } else if (event === "presence_state") {
      reply("error", { reason: "reserved event" });
    } else {
      this.publish(topic, event, payload);
    }
  }

  /** As the server does: the list without the newcomer to the newcomer, then the newcomer to everyone. */
  #track(member) {
    const state = {};
    for (const { id, meta } of this.#on(member.topic)) (state[id] ??= { metas: [] }).metas.push(meta);
    member.socket.send(JSON.stringify([member.joinRef, null, member.topic, "presence_state", state]));
    member.meta = { phx_ref: `ref-${++this.#refs}`, online_at: 1795389373620 };
    this.#members.set(member.meta.phx_ref, member);
    this.publish(member.topic, "presence_diff", { joins: { [member.id]: { metas: [member.meta] } }, leaves: {} });
  }

  #untrack(member, socket) {
    if (member.socket !== socket || !this.#members.delete(member.meta.phx_ref)) return;
    this.publish(member.topic, "presence_diff", { joins: {}, leaves: { [member.id]: { metas: [member.meta] } } });
  }

  #on(topic) {
    return [...this.#members.values()].filter((member) => member.topic === topic);
  }
}
