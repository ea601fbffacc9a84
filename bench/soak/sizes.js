// Sizes that must not grow, read from the server's metrics.

/**
 * The sizes. Other programs on the machine caused up to 2 % more descriptors and tasks and 4 % more memory. In the
 * three minutes between the baseline and the end of CI's run, 18,000 sockets come and go. The test finds a leak of 450
 * bytes for each of them, and in an hour's run one of 25.
 *
 * Name, and series of the metrics whose sum it is; by how much it may differ from the baseline: a share, and so many more; by
 * how much, when everybody has gone, from what it was before anybody came.
 */
export const SIZES = [
  { name: "memory, MB", metric: "process_resident_memory_bytes", scale: 2 ** -20, share: 0.1, more: 2, atEnd: 20 },
  { name: "descriptors", metric: "process_open_fds", share: 0.05, more: 20, atEnd: 3 },
  { name: "tasks", metric: "pusher_lite_tasks", share: 0.05, more: 20, atEnd: 3 },
  { name: "sockets", metric: "pusher_lite_sockets", share: 0.05, more: 20, atEnd: 0 },
  { name: "topics", metric: "pusher_lite_topics", share: 0, more: 2, atEnd: 0 },
  { name: "joined", metric: "pusher_lite_joined", share: 0.05, more: 20, atEnd: 0 },
  { name: "users present", metric: "pusher_lite_presence_users", share: 0.05, more: 20, atEnd: 0 },
  { name: "addresses", metric: "pusher_lite_addresses", share: 0.05, more: 20, atEnd: 0 },
  { name: "waiting, bytes", metric: "pusher_lite_waiting_bytes", share: 0.5, more: 1 << 18, atEnd: 0 },
]

/** @returns {Promise<Record<string, number>>} by name */
export async function readSizes(url) {
  const text = await (await fetch(url)).text()
  return Object.fromEntries(SIZES.map(({ name, metric, scale = 1 }) => [name, sum(text, metric) * scale]))
}

/** The mean of several readings. */
export function mean(readings) {
  const of = (name) => readings.reduce((total, reading) => total + reading[name], 0) / readings.length
  return Object.fromEntries(SIZES.map(({ name }) => [name, of(name)]))
}

/** The names of sizes that are more than they may be. */
export function grown(baseline, now) {
  return SIZES.filter(({ name, share, more }) => now[name] > baseline[name] * (1 + share) + more).map(({ name }) => name)
}

/** The names of sizes that are more, now that everybody has gone, than they were before anybody came. */
export function left(before, now) {
  return SIZES.filter(({ name, atEnd }) => now[name] > before[name] + atEnd).map(({ name }) => name)
}

function sum(text, metric) {
  const series = text.split("\n").filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`))
  if (series.length === 0) throw new Error(`there is no metric ${metric}`)
  return series.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0)
}
