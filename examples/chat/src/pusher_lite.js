import { CachedJwt } from "./cached_jwt.js";

/** Timeout for an answer of pusher-lite, in milliseconds. */
const TIMEOUT = 5000;

/** Failure of a request to pusher-lite, and what to do about it. Never holds the token or a JWT. */
export class PusherLiteError extends Error {
  /** `status` is the HTTP status for the browser; what is `temporary` may work when tried again. */
  constructor(message, { status = 502, temporary = false, cause } = {}) {
    super(message, { cause });
    this.status = status;
    this.temporary = temporary;
  }
}

/**
 * The REST API of a pusher-lite server as a backend uses it. The token stays here: it is changed for two JWTs, one that
 * publishes, and one that opens sockets and nothing else, which pages get.
 */
export class PusherLite {
  #settings;
  #channelJwt;
  #apiJwt;

  constructor(settings, now = Date.now) {
    this.#settings = settings;
    this.#channelJwt = new CachedJwt(() => this.#createSession("?channel=true"), now);
    this.#apiJwt = new CachedJwt(() => this.#createSession(""), now);
  }

  /** A JWT for a page; another one than `refused`, which pusher-lite did not take. */
  channelJwt(refused) {
    this.#channelJwt.forget(refused);
    return this.#channelJwt.get();
  }

  /** Sends an event to everyone on the topic. */
  async publish(topic, event, payload) {
    await this.#callApplication("POST", `/event/${encodeURIComponent(event)}`, { ...payload, topic });
  }

  /** Rejects unless the settings fit: the server answers, takes the token, and lets its user use the application. */
  async check() {
    await this.#callApplication("GET", "");
  }

  async #createSession(query) {
    const { token, url } = this.#settings;
    const response = await this.#request("POST", `/api/sessions${query}`, { body: { token } });
    if (response.status === 422) {
      throw new PusherLiteError(
        "pusher-lite refused the token in PUSHER_TOKEN. Copy the one that `make run` prints, " +
          "or create one with `pusher-lite token create --user EMAIL`.",
      );
    }
    const { jwt } = response.status === 201 ? await json(response) : {};
    if (typeof jwt !== "string") {
      throw new PusherLiteError(`${url} answered ${response.status} to a new session. Is it pusher-lite? Check PUSHER_URL.`);
    }
    return jwt;
  }

  async #callApplication(method, path, body) {
    const { organization, appKey } = this.#settings;
    const application = `/api/organizations/${encodeURIComponent(organization)}/applications/${encodeURIComponent(appKey)}`;
    let response = await this.#withApiJwt(method, application + path, body);
    // The server may have been given another secret, or the JWT may have been revoked: try once with a new one.
    if (response.status === 401) response = await this.#withApiJwt(method, application + path, body);
    if (!response.ok) throw await this.#refusal(response);
    await response.body?.cancel();
  }

  async #withApiJwt(method, path, body) {
    const jwt = await this.#apiJwt.get();
    const response = await this.#request(method, path, { body, headers: { Authorization: `Bearer ${jwt}` } });
    if (response.status === 401) {
      this.#apiJwt.forget(jwt);
      await response.body?.cancel();
    }
    return response;
  }

  async #request(method, path, { body, headers }) {
    const { url } = this.#settings;
    try {
      return await fetch(url + path, {
        method,
        headers: { Accept: "application/json", "Content-Type": "application/json", ...headers },
        body: body && JSON.stringify(body),
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch (cause) {
      const message = `pusher-lite does not answer at ${url}. Start it with \`make run\`, or set PUSHER_URL.`;
      throw new PusherLiteError(message, { status: 503, temporary: true, cause });
    }
  }

  async #refusal(response) {
    const { organization, appKey } = this.#settings;
    switch (response.status) {
      case 401:
        return new PusherLiteError(
          `The token's user may not use ${organization}. Take the token of one of its admins, or set PUSHER_ORGANIZATION.`,
        );
      case 404:
        return new PusherLiteError(
          `${organization} has no application ${appKey}. Check PUSHER_APP_KEY and PUSHER_ORGANIZATION.`,
        );
      default:
        return new PusherLiteError(`pusher-lite answered ${response.status}: ${await reason(response)}`);
    }
  }
}

/** The server explains a refusal as `{"errors": {detail}}` or `{"errors": {field: [message]}}`. */
async function reason(response) {
  const { errors } = await json(response);
  return errors?.detail ?? JSON.stringify(errors ?? "no reason given");
}

async function json(response) {
  try {
    return (await response.json()) ?? {};
  } catch {
    return {};
  }
}
