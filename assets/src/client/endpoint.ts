/** Parts of a URL that decide where the socket connects: a `URL` and `window.location` both fit. */
export interface Origin {
  readonly protocol: string;
  readonly host: string;
  readonly pathname: string;
}

/** The server's address as the client keeps it: `host` is `name[:port][/prefix]`. */
export interface Endpoint {
  readonly host: string;
  readonly ssl: boolean;
}

/** URL that this script was loaded from. The entry points set it, each in the way its module format allows. */
const loadedFrom: { script?: Origin } = {};

/** Remembers the script's address; anything that is not `http:` or `https:` (a bundler's `file:` URL) is no server. */
export function rememberScript(src: string | null | undefined): void {
  if (src?.startsWith("http:") || src?.startsWith("https:")) loadedFrom.script = new URL(src);
}

/**
 * Fills in what the page left out: the host is the one the script came from, else the page's; TLS is used where the
 * script (for its own host) or the page uses it, since browsers refuse `ws:` on an `https:` page.
 */
export function resolveEndpoint(host: string | undefined, ssl: boolean | undefined): Endpoint {
  const page = pageOrigin();
  const source = loadedFrom.script ?? page;
  if (host === undefined || host === "") {
    if (source === undefined) {
      throw new TypeError('PusherLite: `host` is missing, and there is no page to take it from; pass "name:port"');
    }
    return { host: source.host + pathPrefix(source), ssl: ssl ?? isSecure(source) };
  }
  if (typeof host !== "string" || /^[a-z]+:\/\//i.test(host)) {
    throw new TypeError('PusherLite: `host` must be "name" or "name:port"; choose the protocol with `ssl`');
  }
  const decider = host.split("/")[0] === source?.host ? source : page;
  return { host: host.replace(/\/+$/, ""), ssl: ssl ?? isSecure(decider) };
}

/** A server behind a reverse proxy may live under a path: `/realtime/js/pusher.js` means `/realtime/socket`. */
function pathPrefix(source: Origin): string {
  return /^(.*)\/js\/pusher[^/]*$/.exec(source.pathname)?.[1] ?? "";
}

function isSecure(origin: Origin | undefined): boolean {
  return origin?.protocol === "https:";
}

function pageOrigin(): Origin | undefined {
  const page = typeof location === "undefined" ? undefined : location;
  return page?.protocol === "http:" || page?.protocol === "https:" ? page : undefined;
}
