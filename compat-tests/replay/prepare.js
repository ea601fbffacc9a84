// Makes the steps of a recording ready to be played: real credentials, whole texts, one way to write binary frames.

import { recordedData } from "../wire/binary-message.js"
import { isCut, restoreCut } from "../wire/cut-text.js"
import { matching } from "./match.js"
import { digest } from "./normal-form.js"
import { parseJson } from "./wire-message.js"

/**
 * @param {object[]} steps
 * @param {import("../wire/credentials.js").Credentials} credentials
 */
export function prepareSteps(steps, credentials) {
  return steps.map((step) => {
    const { frame, ...filled } = withWholeBodies(credentials.fillJson(step))
    if (typeof filled.text === "string" && isCut(filled.text)) filled.text = wholeText(filled)
    if (filled.dir === "<" && filled.op === "text" && filled.json === undefined) filled.json = parseJson(filled.text)
    return frame ? { ...filled, frame: readyFrame(frame, filled.dir) } : filled
  })
}

/**
 * Prepares a frame. A sent frame keeps its recorded data; an expected one is written as the player writes received
 * ones.
 */
function readyFrame(frame, dir) {
  return dir === ">" ? frame : { ...frame, data: digest(recordedData(frame.data)) }
}

/** A long-polling message whose body is cut, and the poll that brings it back. */
function withWholeBodies(step) {
  if (!step.request) return step
  const body = isCut(step.body ?? "") ? { body: wholeText({ dir: ">", text: step.body }) } : {}
  const { response } = step
  if (!isCut(response?.body ?? "")) return { ...step, ...body }
  const [start] = response.body.split(/(?<="s":")/)
  const empty = JSON.parse(`${start}"},"event":"big"}]}`)
  empty.messages[0].payload.s = anyRunOf("x")
  return { ...step, ...body, response: { ...response, body: undefined, json: empty } }
}

const anyRunOf = (letter) => matching(`a run of ${letter}`, (text) => new RegExp(`^${letter}{1000,}$`).test(text))

function wholeText({ dir, text }) {
  if (text.startsWith("[")) return restoreCut(text, '"}]')
  return restoreCut(text, dir === ">" ? '"},"ref":"5"}' : '"},"event":"big"}')
}
