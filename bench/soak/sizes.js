// What must not grow, read from the server's metrics.

/** Name, series of the metrics whose sum it is, and by how much it may differ from the baseline: a share, and so many more. */
export const SIZES = [
  { name: "memory, MB", metric: "process_resident_memory_bytes", scale: 2 ** -20, share: 0.1, more: 8 },
  { name: "descriptors", metric: "process_open_fds", share: 0.05, more: 20 },
  { name: "tasks", metric: "pusher_lite_tasks", share: 0.05, more: 20 },
  { name: "sockets", metric: "pusher_lite_sockets", share: 0.05, more: 20, atEnd: 0 },
  { name: "topics", metric: "pusher_lite_topics", share: 0.02, more: 2, atEnd: 0 },
  { name: "joined", metric: "pusher_lite_joined", share: 0.05, more: 20, atEnd: 0 },
  { name: "users present", metric: "pusher_lite_presence_users", share: 0.05, more: 20, atEnd: 0 },
  { name: "waiting, bytes", metric: "pusher_lite_waiting_bytes", share: 1, more: 1 << 20, atEnd: 0 },
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

/** The names of sizes that are not what they have to be when everybody has gone. */
export function left(now) {
  return SIZES.filter(({ name, atEnd }) => atEnd !== undefined && now[name] !== atEnd).map(({ name }) => name)
}

function sum(text, metric) {
  const series = text.split("\n").filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`))
  if (series.length === 0) throw new Error(`there is no metric ${metric}`)
  return series.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0)
}
