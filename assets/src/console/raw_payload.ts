/**
 * Payloads as they came. The server passes them on unread, so the console shows their own spelling (`1e3`, `1.0`, numbers
 * beyond what JavaScript can hold, names given twice) and not what JSON.parse makes of it.
 */

/** A frame as Phoenix's socket reads it. */
export interface Message {
  join_ref: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

type Decode = (raw: string | ArrayBuffer, done: (message: Message) => void) => void;

const spellings = new WeakMap<object, string>();

/** Decodes text frames of version 2, `[join_ref, ref, topic, event, payload]`; the others are left to `decodeOthers`. */
export function decoder(decodeOthers: Decode): Decode {
  return (raw, done) => {
    if (typeof raw !== "string") return decodeOthers(raw, done);
    const [join_ref, ref, topic, event, payload] = JSON.parse(raw) as [string | null, string | null, string, string, unknown];
    if (typeof payload === "object" && payload !== null) spellings.set(payload, payloadText(raw));
    done({ join_ref, ref, topic, event, payload });
  };
}

/** Returns the original spelling of a decoded payload. */
export function spellingOf(payload: unknown): string {
  const known = typeof payload === "object" && payload !== null ? spellings.get(payload) : undefined;
  return known ?? JSON.stringify(payload) ?? "";
}

/** The fifth element of a frame: what is between its fourth comma and its last bracket. */
export function payloadText(frame: string): string {
  let commas = 0;
  let at = frame.indexOf("[") + 1;
  for (; at < frame.length && commas < 4; at += 1) {
    if (frame[at] === '"') at = endOfString(frame, at) - 1;
    else if (frame[at] === ",") commas += 1;
  }
  return frame.slice(at, frame.lastIndexOf("]")).trim();
}

/** The position behind the string that begins at `start`, or the end of a text that was cut off in it. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
