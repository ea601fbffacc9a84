/** Requests of the demo to its backend, which holds the token: a JWT for the page, and a publish through REST. */

/** `POST /demo/session`: a JWT of an hour that can join and send, nothing else. */
export async function fetchJwt(): Promise<string> {
  const response = await post("/demo/session");
  const { jwt } = (await response.json()) as { jwt: string };
  return jwt;
}

/** `POST /demo/messages`: the server publishes the message as a backend would. */
export async function publish(message: { name: string; message: string }): Promise<void> {
  await post("/demo/messages", message);
}

async function post(path: string, body: object = {}): Promise<Response> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await reason(response));
  return response;
}

/** The server explains a refusal as `{"errors": {detail}}` or `{"errors": {field: [message]}}`. */
async function reason(response: Response): Promise<string> {
  const fallback = `The server answered ${response.status}.`;
  try {
    const { errors } = (await response.json()) as { errors: Record<string, string | string[]> };
    const parts = Object.entries(errors).map(([field, text]) => (field === "detail" ? `${text}` : `${field} ${text}`));
    return parts.join(", ") || fallback;
  } catch {
    return fallback;
  }
}
