// As much of the protocol as a client needs that joins one topic and only counts what it hears.

/** The event that clients push. */
export const EVENT = "message"

/** A message as the text that a client of that version sends. */
export function messageText(vsn, topic, event, payload) {
  return JSON.stringify(vsn === "1.0.0" ? { topic, event, payload, ref: "1" } : ["1", "1", topic, event, payload])
}

/** Returns true if a text is the reply to an accepted join. A heartbeat's reply looks like it, and comes later. */
export const isJoin = (text) => text.includes('"phx_reply"') && text.includes('"status":"ok"')

export const isEvent = (text) => text.includes(`"${EVENT}"`)
