import { endOfString } from "./raw_payload";

/** Deeper levels stand below each other: a payload of brackets alone would otherwise grow to the square of its size. */
const MAX_INDENT = 24;

const CLOSING: Record<string, string> = { "{": "}", "[": "]" };

/** JSON over several lines. Nothing is read or written anew, so every value keeps its spelling. A text that was cut off
 * is laid out as far as it goes. */
export function prettyJson(text: string): string {
  const parts: string[] = [];
  let depth = 0;
  const line = () => `\n${"  ".repeat(Math.min(depth, MAX_INDENT))}`;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '"') {
      const end = endOfString(text, at);
      parts.push(text.slice(at, end));
      at = end - 1;
    } else if (character in CLOSING) {
      const next = behindBlanks(text, at + 1);
      parts.push(character);
      if (text[next] === CLOSING[character]) {
        parts.push(text[next] as string);
        at = next;
      } else {
        depth += 1;
        parts.push(line());
      }
    } else if (character === "}" || character === "]") {
      depth -= 1;
      parts.push(line(), character);
    } else if (character === ",") {
      parts.push(",", line());
    } else if (character === ":") {
      parts.push(": ");
    } else if (!isBlank(character)) {
      parts.push(character);
    }
  }
  return parts.join("");
}

function behindBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && isBlank(text[at] as string)) at += 1;
  return at;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\n" || character === "\t" || character === "\r";
}
