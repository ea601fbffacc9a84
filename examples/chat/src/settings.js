import { randomBytes } from "node:crypto";

/** A setting that is missing or malformed. The message names it and says what to do; it never shows a secret. */
export class SettingError extends Error {}

/** Reads every setting from the environment. README.md lists them. */
export function readSettings(env) {
  return {
    host: env.HOST || "127.0.0.1",
    port: readPort(env.PORT || "3000"),
    cookieSecret: readCookieSecret(env.COOKIE_SECRET),
    pusher: {
      url: readUrl(env.PUSHER_URL || "http://localhost:4000"),
      organization: env.PUSHER_ORGANIZATION || "acme-inc",
      appKey: required(env, "PUSHER_APP_KEY", 'the line "app_key" that `make run` prints'),
      token: required(env, "PUSHER_TOKEN", 'the line "Token" that `make run` prints'),
    },
  };
}

function required(env, name, source) {
  if (!env[name]) throw new SettingError(`${name} must be set: copy it from ${source}.`);
  return env[name];
}

function readPort(text) {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new SettingError(`PORT must be a number from 0 to 65535, not "${text}".`);
  }
  return Number(text);
}

/** Ends without a slash; a path is kept, for a server behind a reverse proxy. */
function readUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username || url.search || url.hash) {
    throw new SettingError("PUSHER_URL must be the address of pusher-lite, such as http://localhost:4000.");
  }
  return url.href.replace(/\/+$/, "");
}

/** Without a secret of one's own, everyone signs in again after a restart. */
function readCookieSecret(text) {
  if (!text) return randomBytes(32).toString("base64url");
  if (text.length < 32) throw new SettingError("COOKIE_SECRET must have at least 32 characters.");
  return text;
}
