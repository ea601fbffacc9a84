// Compiled, not run: what someone writes who bundles the client with TypeScript.
import PusherLite, { type PresenceState, type PusherLiteOptions } from "../dist/js/pusher.mjs";

const options: PusherLiteOptions = {
  host: "localhost:4000",
  jwt: "a-jwt",
  uniqueUserId: 42,
  ssl: false,
  socketOptions: { longPollFallbackMs: 2500 },
  onSocketSuccess: () => {},
  onSocketError: (error: unknown) => console.error(error),
  refreshJwt: async () => "another",
};

const pusher = new PusherLite("app-key", options);
const channel = pusher.subscribe("general", {
  onJoin: (id, current, joined) => console.log(id.length, current?.metas.length, joined.metas[0]?.online_at),
  onLeave: (id, current) => console.log(id, current.metas.length === 0),
});
channel.bind("new_message", (payload: { name: string; message: string }) => console.log(payload.name));
channel.trigger("new_message", { name: "John", message: "Hello" }).receive("error", console.error);
pusher.joinAll();
pusher.channels["general"]?.leave();

const presence: PresenceState = channel.getPresence();
const topic: string = channel.getTopic();
console.log(presence, topic);

// @ts-expect-error: a JWT is required
new PusherLite("app-key", { uniqueUserId: 1 });
// @ts-expect-error: events have names
channel.bind(() => {});
// @ts-expect-error: a payload is an object
channel.trigger("new_message", "Hello");
