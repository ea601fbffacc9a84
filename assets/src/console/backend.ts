/** Requests of the console to its page's server: a JWT to connect with, and publishing. */

/** The server does not let this browser any more: signed out, removed, or the application is archived. */
export class AccessEnded extends Error {}

/** Reasons for which an event was not published: messages by field. */
export class Refused extends Error {
  constructor(readonly errors: Record<string, string[]>) {
    super(Object.values(errors).flat().join(", "));
  }
}

export interface NewEvent {
  topic: string;
  name: string;
  payload: string;
}

export class Backend {
  /** @param path of the console */
  constructor(
    private readonly path: string,
    private readonly csrfToken: string,
  ) {}

  /** A JWT of ten minutes that can join and send, nothing else. */
  async fetchJwt(): Promise<string> {
    const response = await this.post(`${this.path}/session`, new URLSearchParams());
    const { jwt } = (await response.json()) as { jwt: string };
    return jwt;
  }

  /** Publishes as the form does, the payload as it was typed. */
  async publish({ topic, name, payload }: NewEvent): Promise<void> {
    await this.post(this.path, new URLSearchParams({ topic, name, payload }));
  }

  private async post(path: string, body: URLSearchParams): Promise<Response> {
    const headers = { Accept: "application/json", "X-CSRF-Token": this.csrfToken };
    const response = await fetch(path, { method: "POST", headers, body, redirect: "manual" });
    if (response.ok) return response;
    // A redirect to another page, which scripts do not see, is how people are sent away.
    if (response.type === "opaqueredirect" || [401, 403, 404].includes(response.status)) throw new AccessEnded();
    if (response.status === 422) {
      const { errors } = (await response.json()) as { errors: Record<string, string[]> };
      throw new Refused(errors);
    }
    throw new Error(`the server answered ${response.status}`);
  }
}
