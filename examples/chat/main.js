// Reads the settings, starts the chat, and stops it on a signal.
import { once } from "node:events";

import { createChat } from "./src/chat.js";
import { PusherLite } from "./src/pusher_lite.js";
import { readSettings, SettingError } from "./src/settings.js";

try {
  await serve(readSettings(process.env));
} catch (error) {
  if (error instanceof SettingError) console.error(error.message);
  else if (error.code === "EADDRINUSE") console.error(`Port ${error.port} is taken. Set PORT to another one.`);
  else console.error(error);
  process.exitCode = 1;
}

async function serve(settings) {
  const pusher = new PusherLite(settings.pusher);
  const server = createChat(settings, pusher);
  server.listen(settings.port, settings.host);
  await once(server, "listening");
  console.log(`The chat is at http://${shown(settings.host)}:${server.address().port}  (open it in two windows)`);

  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => server.close());
  }
  // The chat works as soon as pusher-lite does, so that either may be started first.
  await pusher.check().catch((error) => console.error(`Not ready yet: ${error.message}`));
}

/** A loopback address as people write it in a browser. */
function shown(host) {
  return host === "127.0.0.1" ? "localhost" : host.includes(":") ? `[${host}]` : host;
}
