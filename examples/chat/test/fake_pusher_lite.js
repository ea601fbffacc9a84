// As much of pusher-lite's REST API as the chat's server uses, with an answer for every test to replace.
import { once } from "node:events";
import { createServer } from "node:http";

export const APP_KEY = "key";
export const TOKEN = "secret-token";

/** A JWT with these claims; nobody checks its signature here. */
export function jwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS512" })}.${part(claims)}.signature`;
}

export class FakePusherLite {
  /** Everything asked so far: `{method, path, query, authorization, body}`. */
  requests = [];
  /** Answers `{status, json}` to a session and to a call of the application. */
  session = (number) => ({ status: 201, json: { jwt: jwt({ iat: 1000, exp: 1000 + 864000, jti: number }) } });
  application = () => ({ status: 204 });
  #server = createServer((request, response) => this.#answer(request, response));

  static async start() {
    const fake = new FakePusherLite();
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  get settings() {
    return { url: this.url, organization: "acme-inc", appKey: APP_KEY, token: TOKEN };
  }

  get sessions() {
    return this.requests.filter(({ path }) => path === "/api/sessions");
  }

  get calls() {
    return this.requests.filter(({ path }) => path !== "/api/sessions");
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answer(request, response) {
    const { pathname: path, search: query } = new URL(request.url, "http://fake");
    const text = (await request.toArray()).join("");
    const { authorization } = request.headers;
    this.requests.push({ method: request.method, path, query, authorization, body: text && JSON.parse(text) });
    const answer =
      path === "/api/sessions" ? this.session(this.sessions.length) : this.application(this.calls.length);
    response.writeHead(answer.status, { "Content-Type": "application/json", ...answer.headers });
    response.end(answer.json && JSON.stringify(answer.json));
  }
}
