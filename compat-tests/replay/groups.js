// Groups of recordings, and the groups that are played by default.

/** Everything that can be named with --only. */
export const GROUPS = [
  "unit",
  "http",
  "jwt",
  "ws",
  "v2",
  "v2-auth-token",
  "v2-binary",
  "v2-longpoll",
  "longpoll",
  "jwt-longpoll",
  "clients",
  "browser",
]

/** Played by `npm test`. */
export const DEFAULT_GROUPS = GROUPS

/** Scenarios that do something to the whole server and so need one of their own. */
const ALONE = ["server_shutdown"]

export const needsOwnServer = (scenario) => ALONE.includes(scenario.scenario)

/**
 * @param {object} scenario of v2.json
 * @returns {string} its group
 */
export function groupOfV2(scenario) {
  if (scenario.scenario.startsWith("lp_")) return "v2-longpoll"
  if (scenario.class.includes("authToken")) return "v2-auth-token"
  const isBinary = (step) => step.op === "binary" || /binary/.test(step.raw ?? "")
  return scenario.steps.some(isBinary) ? "v2-binary" : "v2"
}

/** The WebSocket part of a scenario that has a long-polling one, and what others see of the latter. */
export function withoutLongpoll(steps) {
  const uids = steps.filter((step) => step.request).map(({ request }) => /unique_identifier=([^&]*)/.exec(request)?.[1])
  const tellsOf = (step) =>
    Object.keys(step.json?.payload?.joins ?? step.json?.[4]?.joins ?? {}).some((uid) => uids.includes(uid))
  return steps.filter((step) => !step.request && !tellsOf(step))
}
