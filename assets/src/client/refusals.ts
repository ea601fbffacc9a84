/** Every so many failures in a row the server is asked again, since the reason may have changed. */
const FAILURES_PER_QUESTION = 10;

/** Timeout for the answer. A late one would be about another attempt. */
const TIMEOUT_MS = 10_000;

/** Status of a refusal for which the client can do something. Others are limits. */
const FORBIDDEN = 403;

/** Owner of {@link Refusals}. */
export interface Connecting {
  readonly jwt: string;
  readonly socket: { endPointURL(): string };
}

/** Receiver of refusals that concern the JWT. */
interface Refreshing {
  readonly isUnderWay: boolean;
  refused(reason: string): void;
}

interface Diagnosis {
  status: number;
  reason: string;
  advice: string;
}

/**
 * Prints why the server refuses the socket.
 *
 * A browser hides the answer to a refused WebSocket from the page, so the server is asked at `/socket/diagnose`: after the
 * first failure, and again when the JWT is another one or after ten more. Each reason is printed once, until a socket has
 * opened. Reconnecting does not wait for any of this, and a question that gets no answer is not reported: the server is
 * down, or older than this client.
 */
export class Refusals {
  private failures = 0;
  private isAsking = false;
  private askedAbout?: string;
  /** True unless the last answer was known already. A new JWT is only then worth a question of its own. */
  private isNews = true;
  private told = new Set<string>();

  constructor(
    private readonly connecting: Connecting,
    private readonly refreshing?: Refreshing,
  ) {}

  /** The connection opened: nothing said so far applies any more, nor does the answer that is under way. */
  opened(): void {
    this.failures = 0;
    this.askedAbout = undefined;
    this.isNews = true;
    this.told = new Set();
  }

  /** An attempt to connect failed. While another JWT is on its way, the present one is not worth a question. */
  failed(): void {
    const isDue = this.failures % FAILURES_PER_QUESTION === 0 || (this.isNews && this.connecting.jwt !== this.askedAbout);
    this.failures += 1;
    if (isDue && !this.isAsking && !this.refreshing?.isUnderWay) void this.ask();
  }

  private async ask(): Promise<void> {
    const { told } = this;
    this.isAsking = true;
    this.askedAbout = this.connecting.jwt;
    const diagnosis = await this.diagnose().catch(() => undefined);
    this.isAsking = false;
    if (told !== this.told) return;
    // The time in "JWT expired at …" is that of one JWT.
    const kind = diagnosis?.reason.split(" at ")[0];
    this.isNews = kind !== undefined && !told.has(kind);
    if (diagnosis === undefined || kind === undefined || told.has(kind)) return;
    told.add(kind);
    console.error(`pusher_lite: the socket was refused: ${diagnosis.reason}. ${diagnosis.advice}`);
    if (diagnosis.status === FORBIDDEN) this.refreshing?.refused(diagnosis.reason);
  }

  /** Resolves to the server's answer, or to `undefined` if it refuses nothing. */
  private async diagnose(): Promise<Diagnosis | undefined> {
    const { jwt, socket } = this.connecting;
    const url = new URL(socket.endPointURL());
    const sent = ["app_key", "unique_identifier", "vsn"].map((name) => [name, url.searchParams.get(name) ?? ""]);
    url.protocol = url.protocol.replace("ws", "http");
    url.pathname = url.pathname.replace(/websocket$/, "diagnose");
    url.search = String(new URLSearchParams(sent));
    const response = await fetch(url, {
      headers: { "x-phoenix-authtoken": jwt },
      credentials: "omit",
      cache: "no-store",
      // Another host would get the JWT.
      redirect: "error",
      signal: AbortSignal.timeout?.(TIMEOUT_MS),
    });
    const { status, reason, advice = "" } = (response.ok ? await response.json() : {}) as Partial<Diagnosis>;
    return typeof status === "number" && typeof reason === "string" ? { status, reason, advice } : undefined;
  }
}
