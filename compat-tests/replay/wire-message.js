// Topic, event and the like of a message in either form: an object (vsn 1) or an array (vsn 2).

/**
 * @param {unknown} json a parsed message
 * @returns {{topic: unknown, event: unknown, payload: unknown, ref: unknown, join_ref?: unknown} | null}
 */
export function readMessage(json) {
  if (Array.isArray(json)) {
    if (json.length < 5) return null
    const [join_ref, ref, topic, event, payload] = json
    return { join_ref, ref, topic, event, payload }
  }
  return json !== null && typeof json === "object" && "event" in json && "topic" in json ? json : null
}

/** @returns {unknown} the JSON of a text, undefined if it is none */
export function parseJson(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @returns {object | null} the message of a recorded or received step, text or binary */
export function stepMessage(step) {
  if (step.op === "text") return readMessage(step.json !== undefined ? step.json : parseJson(step.text))
  if (step.op === "binary" && step.frame) return step.frame
  return null
}

/** @returns {object[]} the messages that an action sends: a frame has one, a long-polling batch several */
export function sentMessages(action) {
  const parts = action.request ? (action.ndjson ?? [action.json]) : []
  return [stepMessage(action), ...parts.map(readPart)].filter(Boolean)
}

const readPart = (part) => (part?.base64_of ? part.base64_of : part === undefined ? null : readMessage(part))

/** Returns true if this is the presence_diff of a leave that names `uid`. */
export function isLeaveOf(uid, message) {
  return message?.event === "presence_diff" && Object.hasOwn(message.payload?.leaves ?? {}, uid)
}
