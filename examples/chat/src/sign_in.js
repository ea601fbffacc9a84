import { createHmac, timingSafeEqual } from "node:crypto";

const COOKIE = "chat";

/** Lifetime of a sign-in, in seconds. */
const LIFETIME = 30 * 24 * 3600;

/**
 * Identity of the visitor, in a signed cookie: `<claims>.<signature>`, both base64url. A real application would ask for
 * a password; this one believes any name.
 */
export class SignIn {
  #secret;
  #now;

  constructor(secret, now = Date.now) {
    this.#secret = secret;
    this.#now = now;
  }

  /** The name that the request's cookie holds, or undefined when there is none, it was altered, or its time is over. */
  nameOf(request) {
    const [claims, signature] = (cookieOf(request) ?? "").split(".");
    if (!claims || !signature || !same(signature, this.#sign(claims))) return undefined;
    const { name, until } = JSON.parse(Buffer.from(claims, "base64url").toString());
    return this.#now() < until ? name : undefined;
  }

  /** The `Set-Cookie` header that signs somebody in. */
  cookieFor(name, secure) {
    const until = this.#now() + LIFETIME * 1000;
    const claims = Buffer.from(JSON.stringify({ name, until })).toString("base64url");
    return header(`${claims}.${this.#sign(claims)}`, LIFETIME, secure);
  }

  /** The `Set-Cookie` header that signs somebody out. */
  endingCookie(secure) {
    return header("", 0, secure);
  }

  #sign(claims) {
    return createHmac("sha256", this.#secret).update(claims).digest("base64url");
  }
}

function header(value, maxAge, secure) {
  return `${COOKIE}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}

function cookieOf(request) {
  const cookies = (request.headers.cookie ?? "").split("; ");
  return cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

function same(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
