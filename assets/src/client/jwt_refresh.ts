/** Every so many refusals in a row a JWT that has not expired is replaced too: it may have been revoked. */
const REFUSALS_PER_REFRESH = 10;

/** Code of a close because the JWT has expired, which applications may ask for. */
const JWT_EXPIRED = 4401;

/** Reasons for refusals that another JWT may not have, such as "bad signature" and "token not valid". */
const ABOUT_JWT = /JWT|signature|token|session/;

/** Owner of a {@link JwtRefresh}. */
export interface JwtHolder {
  jwt: string;
  socketError(error: unknown): void;
}

/**
 * Asks for a new JWT when the server refuses the one in use, or closes the socket because it has expired.
 *
 * A browser does not tell a refused handshake from a server that is down. An expired JWT is replaced immediately, and so is
 * one that the server, when asked, says it refuses. Any other is replaced only at every tenth failure in a row: a restart
 * of the server must not send every browser to the backend that hands out JWTs.
 */
export class JwtRefresh {
  private refusals = 0;
  private underWay = false;

  constructor(
    private readonly holder: JwtHolder,
    private readonly fetchJwt: () => Promise<string>,
  ) {}

  get isUnderWay(): boolean {
    return this.underWay;
  }

  /** The connection opened: the JWT is good. */
  opened(): void {
    this.refusals = 0;
  }

  /** An open connection ended. The socket tries again by itself and then takes the JWT there is. */
  closed(code: number | undefined): void {
    if (code === JWT_EXPIRED) this.start();
  }

  /** An attempt to connect failed, for whatever reason. */
  failed(): void {
    this.refusals += 1;
    if (hasExpired(this.holder.jwt) || this.refusals % REFUSALS_PER_REFRESH === 0) this.start();
  }

  /** The server said why it refuses the socket. */
  refused(reason: string): void {
    if (ABOUT_JWT.test(reason)) this.start();
  }

  private start(): void {
    if (!this.underWay) void this.refresh();
  }

  private async refresh(): Promise<void> {
    this.underWay = true;
    try {
      const jwt: unknown = await this.fetchJwt();
      if (typeof jwt !== "string" || jwt === "") {
        throw new TypeError("PusherLite: `refreshJwt` must resolve to a JWT");
      }
      this.holder.jwt = jwt;
    } catch (error) {
      this.holder.socketError(error);
    } finally {
      this.underWay = false;
    }
  }
}

/**
 * Returns true if the claim `exp` (seconds since 1970, RFC 7519) has passed. An unreadable JWT counts as not expired.
 */
function hasExpired(jwt: string): boolean {
  try {
    const claims = jwt.split(".")[1]?.replace(/-/g, "+").replace(/_/g, "/") ?? "";
    const { exp } = JSON.parse(atob(claims)) as { exp?: unknown };
    return typeof exp === "number" && exp * 1000 <= Date.now();
  } catch {
    return false;
  }
}
