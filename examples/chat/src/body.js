/** The largest request body, in bytes. */
const MAX_BYTES = 8 * 1024;

/** A request that cannot be served. The message goes to the browser. */
export class RequestError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The fields of a form (`application/x-www-form-urlencoded`). */
export async function readForm(request) {
  return Object.fromEntries(new URLSearchParams(await read(request, "application/x-www-form-urlencoded")));
}

/** The object that a JSON body holds. */
export async function readJson(request) {
  const text = await read(request, "application/json");
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Answered below, as any other body that holds no object.
  }
  throw new RequestError(400, "The body must be a JSON object.");
}

async function read(request, type) {
  const given = request.headers["content-type"]?.split(";")[0].trim().toLowerCase();
  if (given !== type) throw new RequestError(415, `The body must be ${type}.`);
  const chunks = [];
  let size = 0;
  // Leaving the loop must not end the connection: the refusal still has to go out on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new RequestError(413, `The body is larger than ${MAX_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
