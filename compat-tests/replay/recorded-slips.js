// Corrections from fixtures/RECORDINGS.md of the recordings themselves, applied to their steps.

import { stepMessage } from "./wire-message.js"

/**
 * @param {object[]} steps
 * @param {string} file
 */
export function withRecordedSlips(steps, file) {
  const kept = steps
    .filter((step) => !isOfRecorder(step))
    .map((step) => (step.note === "SIGTERM" ? { ...step, stop: true } : step))
  return file === "v2.json" ? withV1Refs(kept) : kept
}

/** A write error is the recording client's; the second answer behind a refusal (D18) is checked for everywhere. */
const isOfRecorder = (step) => "error" in step || "extra_bytes_after_response" in step

/** In v2.json the `phx_close` and `phx_error` of vsn 1 sockets lack the join's ref, which ws.json has. */
function withV1Refs(steps) {
  const joins = new Map()
  return steps.map((step) => {
    const message = stepMessage(step)
    if (!message || Array.isArray(step.json) || step.op !== "text") return step
    const key = `${step.socket} ${message.topic}`
    if (step.dir === ">" && message.event === "phx_join") joins.set(key, message.ref)
    if (step.dir !== "<" || !["phx_close", "phx_error"].includes(message.event)) return step
    return { ...step, json: { ...step.json, ref: joins.get(key) } }
  })
}
