// Cuts one value out of JSON text without parsing it, since parsing would lose how it was written.

/**
 * @param {string} text valid JSON, an array or an object
 * @param {number | string} wanted index or key; of repeated keys the last
 * @returns {string | undefined}
 */
export function rawValue(text, wanted) {
  let at = skipSpace(text, 0) + 1
  let found
  for (let index = 0; ; index++) {
    at = skipSpace(text, at)
    if (text[at] === "]" || text[at] === "}") return found
    let key = index
    if (typeof wanted === "string") {
      const end = valueEnd(text, at)
      key = JSON.parse(text.slice(at, end))
      at = skipSpace(text, skipSpace(text, end) + 1)
    }
    const end = valueEnd(text, at)
    if (key === wanted) found = text.slice(at, end)
    at = skipSpace(text, end)
    if (text[at] === ",") at += 1
  }
}

function skipSpace(text, at) {
  while (" \n\r\t".includes(text[at]) && at < text.length) at += 1
  return at
}

function valueEnd(text, at) {
  if (text[at] === '"') return stringEnd(text, at)
  if (text[at] !== "{" && text[at] !== "[") {
    while (at < text.length && !",]} \n\r\t".includes(text[at])) at += 1
    return at
  }
  let depth = 0
  for (;;) {
    if (text[at] === '"') {
      at = stringEnd(text, at)
      continue
    }
    if ("{[".includes(text[at])) depth += 1
    if ("}]".includes(text[at])) depth -= 1
    at += 1
    if (depth === 0) return at
  }
}

function stringEnd(text, at) {
  at += 1
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}
