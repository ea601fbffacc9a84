// Compares JSON meaning: what was expected against what came. Where an expectation leaves room, it holds a Matcher.

export class Matcher {
  /**
   * @param {string} description how the report names what was expected
   * @param {(actual: unknown, context: object, path: string) => string | null} compare null: it fits
   */
  constructor(description, compare) {
    this.description = description
    this.compare = compare
  }

  toJSON() {
    return `‹${this.description}›`
  }
}

/** Anything at all. */
export const anything = new Matcher("anything", () => null)

/** A text with something in it. */
export const someText = matching("some text", (value) => typeof value === "string" && value.trim() !== "")

/** A list of one or more messages, as validation errors carry them. */
export const someMessages = matching(
  "messages",
  (value) => Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string" && item !== ""),
)

/** A value that `test` accepts. */
export function matching(description, test) {
  return new Matcher(description, (actual) => (test(actual) ? null : `expected ${description}, got ${show(actual)}`))
}

/** Whichever alternative fits first. */
export function oneOf(...alternatives) {
  const description = alternatives.map((item) => show(item)).join(" or ")
  return new Matcher(description, (actual, context, path) => {
    for (const alternative of alternatives) {
      const attempt = context.clone()
      if (match(alternative, actual, attempt, path) === null) {
        context.adopt(attempt)
        return null
      }
    }
    return `${path}: expected ${description}, got ${show(actual)}`
  })
}

/** A context that treats no key specially. */
export const plainContext = {
  special: () => undefined,
  clone: () => plainContext,
  adopt: () => {},
}

/**
 * @param {unknown} expected a JSON value, with Matchers in it
 * @param {unknown} actual
 * @param {{special: Function, clone: Function, adopt: Function}} context `special(key, expected, actual)` answers
 *   undefined for keys to be compared as they are, else null (fits) or what is wrong
 * @param {string} path where in the whole this is, for messages
 * @returns {string | null} null when it fits, else the first thing that is wrong
 */
export function match(expected, actual, context = plainContext, path = "$") {
  if (expected instanceof Matcher) return expected.compare(actual, context, path)
  if (Array.isArray(expected)) return matchArray(expected, actual, context, path)
  if (expected !== null && typeof expected === "object") return matchObject(expected, actual, context, path)
  return Object.is(expected, actual) || expected === actual ? null : differs(path, expected, actual)
}

function matchArray(expected, actual, context, path) {
  if (!Array.isArray(actual)) return differs(path, expected, actual)
  if (expected.length !== actual.length) {
    return `${path}: expected ${expected.length} elements, got ${actual.length}: ${show(actual)}`
  }
  for (let i = 0; i < expected.length; i++) {
    const wrong = match(expected[i], actual[i], context, `${path}[${i}]`)
    if (wrong) return wrong
  }
  return null
}

function matchObject(expected, actual, context, path) {
  if (actual === null || typeof actual !== "object" || Array.isArray(actual)) return differs(path, expected, actual)
  for (const key of Object.keys(expected)) {
    if (!Object.hasOwn(actual, key)) return `${path}: ${JSON.stringify(key)} is missing in ${show(actual)}`
  }
  for (const key of Object.keys(actual)) {
    if (!Object.hasOwn(expected, key)) return `${path}: unexpected ${JSON.stringify(key)} in ${show(actual)}`
  }
  for (const key of Object.keys(expected)) {
    const wrong = matchKey(key, expected[key], actual[key], context, `${path}.${key}`)
    if (wrong) return wrong
  }
  return null
}

function matchKey(key, expected, actual, context, path) {
  if (expected instanceof Matcher) return match(expected, actual, context, path)
  const special = context.special(key, expected, actual)
  if (special === undefined) return match(expected, actual, context, path)
  return special && `${path}: ${special}`
}

const differs = (path, expected, actual) => `${path}: expected ${show(expected)}, got ${show(actual)}`

/** A value in one line that is short enough to read. */
export function show(value, limit = 300) {
  const text = value === undefined ? "nothing" : JSON.stringify(value)
  return text.length > limit ? `${text.slice(0, limit)}…(${text.length})` : text
}
