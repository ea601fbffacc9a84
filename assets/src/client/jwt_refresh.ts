/** Every so many refusals in a row a JWT that has not expired is replaced too: it may have been revoked. */
const REFUSALS_PER_REFRESH = 10;

/** Owner of a {@link JwtRefresh}. */
export interface JwtHolder {
  jwt: string;
  socketError(error: unknown): void;
}

/**
 * Asks for a new JWT when the server refuses the one in use.
 *
 * A browser does not tell a refused handshake from a server that is down. So an expired JWT is replaced at once, while
 * any other is replaced only at every tenth failure in a row: a restart of the server must not send every browser to
 * the backend that hands out JWTs.
 */
export class JwtRefresh {
  private connected = false;
  private refusals = 0;
  private underWay = false;

  constructor(
    private readonly holder: JwtHolder,
    private readonly fetchJwt: () => Promise<string>,
  ) {}

  /** The connection opened: the JWT is good. */
  opened(): void {
    this.connected = true;
    this.refusals = 0;
  }

  /** A connection ended, or an attempt failed. The socket tries again by itself and then takes the JWT there is. */
  closed(): void {
    if (this.connected) {
      this.connected = false;
      return;
    }
    this.refusals += 1;
    const due = hasExpired(this.holder.jwt) || this.refusals % REFUSALS_PER_REFRESH === 0;
    if (due && !this.underWay) void this.refresh();
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
