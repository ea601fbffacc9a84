/**
 * One JWT, fetched when it is first needed and again when a tenth of its life is left. Whoever asks meanwhile waits for
 * the same request.
 */
export class CachedJwt {
  #fetchJwt;
  #now;
  #current;
  #underWay;

  /**
   * `fetchJwt` resolves to a JWT; `now` gives the time in milliseconds, and is replaced in tests.
   */
  constructor(fetchJwt, now = Date.now) {
    this.#fetchJwt = fetchJwt;
    this.#now = now;
  }

  /** A JWT that is good now. Rejects as `fetchJwt` does; while the one in use is still good, it goes on being used. */
  async get() {
    if (this.#current && this.#now() < this.#current.renewAt) return this.#current.jwt;
    try {
      return await (this.#underWay ??= this.#renew());
    } catch (error) {
      if (error.temporary && this.#current && this.#now() < this.#current.expiresAt) return this.#current.jwt;
      throw error;
    }
  }

  /** Drops a JWT that the server refused. Another one, fetched in the meantime, is kept. */
  forget(jwt) {
    if (this.#current?.jwt === jwt) this.#current = undefined;
  }

  async #renew() {
    try {
      const jwt = await this.#fetchJwt();
      const lifetime = lifetimeOf(jwt);
      // Counted from now, not from the claims: the clocks of two machines may differ.
      const now = this.#now();
      this.#current = { jwt, renewAt: now + lifetime * 0.9, expiresAt: now + lifetime };
      return jwt;
    } finally {
      this.#underWay = undefined;
    }
  }
}

/** From `iat` to `exp` in milliseconds (RFC 7519, both in seconds). Without both, the JWT is used once. */
function lifetimeOf(jwt) {
  try {
    const { iat, exp } = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());
    return Number.isFinite(exp - iat) ? (exp - iat) * 1000 : 0;
  } catch {
    return 0;
  }
}
