/** The page shows what it does as code: down the socket, and the same by curl. */

export interface ChatMessage {
  name: string;
  message: string;
}

export function asTrigger(payload: ChatMessage): string {
  return `general.trigger("new_message", ${JSON.stringify(payload, null, 2)});`;
}

export function asCurl(url: string, topic: string, payload: ChatMessage): string {
  const body = JSON.stringify({ topic, ...payload });
  return [
    `curl -X POST -H "Authorization: Bearer $JWT"`,
    `  -H "Content-Type: application/json"`,
    `  -d ${shellQuoted(body)}`,
    `  ${url}`,
  ].join(" \\\n");
}

/** In single quotes a shell takes everything as it is, but for the single quote. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
