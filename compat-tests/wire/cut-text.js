// Long texts are cut in the recordings: `{"s":"xxx…(9000008 bytes)`. What was cut is always a run of x.

const CUT = /…\((\d+)(?: bytes)?\)$/

export const isCut = (text) => CUT.test(text)

/**
 * Makes a cut text whole again.
 *
 * @param {string} text with credentials filled in, so that its length is the recorded one
 * @param {string} tail what stood behind the run
 */
export function restoreCut(text, tail) {
  const cut = CUT.exec(text)
  const start = text.slice(0, cut.index)
  const missing = Number(cut[1]) - Buffer.byteLength(start) - Buffer.byteLength(tail)
  return start + "x".repeat(missing) + tail
}
