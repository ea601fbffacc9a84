// Starts what the browser test needs: pusher-lite on a database of its own, the chat beside it, and Chromium.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const CHAT = fileURLToPath(new URL("..", import.meta.url));
const CHROMIUM = process.env.CHROMIUM_PATH || "/usr/bin/chromium";

/** `SERVER_BIN`, or what cargo built last for release, or else for development. */
const SERVER = process.env.SERVER_BIN
  ? path.resolve(process.env.SERVER_BIN)
  : ["release", "debug"].map((profile) => path.join(CHAT, `../../target/${profile}/pusher-lite`)).find(existsSync);

/** Returns the tools that the browser test lacks here, with what to do about it; undefined when all are there. */
export function missing() {
  if (!SERVER || !existsSync(SERVER)) return "no pusher-lite: build it with `make build`, or set SERVER_BIN";
  if (!existsSync(CHROMIUM)) return `no Chromium at ${CHROMIUM}: install it, or set CHROMIUM_PATH`;
  return undefined;
}

export function startChromium() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** pusher-lite with demo data in a folder of its own. */
export class PusherLiteProgram {
  #folder = mkdtempSync(path.join(tmpdir(), "chat-example-"));
  #program;

  async start() {
    const { port = "0" } = this.url ? new URL(this.url) : {};
    this.#program = await Program.start(
      [SERVER],
      {
        HOST: "127.0.0.1",
        PORT: port,
        DATABASE_URL: `sqlite://${path.join(this.#folder, "chat.db")}`,
        PUSHER_LITE_DEMO: "true",
      },
      { url: /^ *Open +(\S+)/, token: /^ *Token +(\S+)/, appKey: /^ *app_key +(\S+)/ },
    );
    Object.assign(this, this.#program.found);
    return this;
  }

  /** Ends the program; `start` starts it again at the same address, with the same data. */
  stop() {
    return this.#program.stop();
  }

  async remove() {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The chat, as `npm start` starts it. */
export async function startChat({ url, token, appKey }) {
  const env = { PORT: "0", PUSHER_URL: url, PUSHER_TOKEN: token, PUSHER_APP_KEY: appKey };
  const program = await Program.start([process.execPath, "main.js"], env, { url: /at (http\S+)/ });
  return { url: program.found.url, stop: () => program.stop() };
}

class Program {
  #child;
  #exit;
  /** Output of the program, by name of the pattern. */
  found = {};

  /** Resolves once every pattern has matched a line of the program's output. */
  static async start([command, ...args], env, patterns) {
    const program = new Program();
    const child = spawn(command, args, { cwd: CHAT, env: { PATH: process.env.PATH, ...env } });
    program.#child = child;
    program.#exit = once(child, "exit");
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    const ended = program.#exit.then(([code]) => {
      throw new Error(`${command} ended with ${code} before it was ready:\n${output}`);
    });
    ended.catch(() => {}); // Later it is meant to end.
    await Promise.race([ended, program.#find(patterns)]);
    return program;
  }

  async stop() {
    this.#child.kill("SIGTERM");
    await this.#exit;
  }

  #find(patterns) {
    return new Promise((resolve) => {
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        for (const [name, pattern] of Object.entries(patterns)) this.found[name] ??= pattern.exec(line)?.[1];
        if (Object.keys(patterns).every((name) => this.found[name])) resolve();
      });
    });
  }
}
