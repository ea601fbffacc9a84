// The scenarios. The load generator runs each against one server at a time.
//
// `args` go to the load generator, `nullArgs` instead of them when the null server is its target; `figures` are what is read
// off its report; `target` says what is wanted, given our figures and the null server's.

const STEADY = ["--size", "100"]

/** The null server has no presence: it writes as many bytes, in as many frames, in as long a time. */
function sameBytes({ bytes_received: bytes, frames_received: frames, quiet_s_since_start: seconds }, users) {
  const subscribers = Math.round(users / 2)
  const messages = Math.max(1, Math.round(frames / subscribers))
  const size = String(Math.max(32, Math.round(bytes / frames - 44)))
  const rate = String(messages / seconds)
  return ["fanout", "-n", String(subscribers), "-m", String(messages), "--warmup", "0", "--size", size, "--rate", rate]
}

const cpuPerMessage = {
  name: "CPU per delivered message",
  unit: "µs",
  of: (result) => result.server_us_per_delivered,
}
const delivered = { name: "delivered per second", unit: "/s", of: (result) => result.delivered_per_s, more: true }
const lost = { name: "lost", unit: "", of: (result) => result.lost, alone: true }
const p99 = { name: "latency, p99", unit: "ms", of: (result) => percentile(result.latency_ms, "p99") }
const memory = { name: "memory per socket (RSS)", unit: "bytes", of: (result) => result.rss_bytes_per_conn }
const joinCpu = { name: "CPU per connect and join", unit: "ms", of: (result) => result.server_cpu_s_per_1000_joins }
const failed = { name: "failed joins", unit: "", of: (result) => result.join_failed, alone: true }

const presenceFigures = [
  { name: "CPU", unit: "s", of: (result) => result.server_cpu_s },
  failed,
  { name: "views that are not complete", unit: "", of: (result) => result.views_incomplete, alone: true },
  { name: "every view complete after the last join", unit: "ms", of: (result) => result.every_view_complete_ms, alone: true },
  { name: "frames to the first user", unit: "", of: (result) => result.first_view_frames, alone: true },
  { name: "memory per socket afterwards (RSS)", unit: "bytes", of: memoryAfterwards, alone: true },
]

function memoryAfterwards({ server_rss_after_mb: after, server_rss_before_mb: before, users }) {
  return ((after - before) * 2 ** 20) / users
}

/** `latency_ms` is an object of percentiles in the JSON report. */
function percentile(latency, name) {
  return latency?.[name] ?? null
}

const atMost = (figure, limit) => ({ figure, text: `at most ${limit}`, met: (ours) => ours <= limit })
const ratioAtMost = (figure, limit) => ({ figure, text: `at most ${limit} × null`, met: (ours, nil) => ours <= limit * nil })
const ratioAtLeast = (figure, limit) => ({ figure, text: `at least ${limit} × null`, met: (ours, nil) => ours >= limit * nil })
const none = (figure) => ({ figure, text: "0", met: (ours) => ours === 0 })

const BESIDE = ["chat", "-n", "200", "--topics", "20", "--rate", "100", "--duration", "10", ...STEADY]

/** Measured the same way with none: looking after those that are slow costs the load generator something. */
const slowReaders = (slow) => [
  ...["slow", "-n", "1000", "-k", String(slow), "-m", "1000", "--size", "10000", "--rate", "40", "--linger", "3"],
]

/**
 * Costs by the number of sockets. The largest number fits the 20,000 descriptors that many systems let a process have.
 */
const GROWTH = [
  ...[100, 1000, 5000, 10_000, 19_000].map((sockets) => ({
    name: `growth-fanout-${sockets}`,
    title: `Fan-out, saturated: ${sockets.toLocaleString("en-US")} subscribers`,
    series: { name: "fanout", size: sockets },
    args: () => [
      ...["fanout", "-n", String(sockets), "-m", String(Math.round(4_000_000 / sockets)), ...STEADY],
      ...["--rate", "0", "--inflight", "64", "--connect-rate", "2000"],
    ],
    figures: [cpuPerMessage, delivered, lost],
    targets: [none(lost)],
  })),
  ...[1000, 5000, 10_000, 19_000].map((sockets) => ({
    name: `growth-idle-${sockets}`,
    title: `Idle: ${sockets.toLocaleString("en-US")} joined sockets on one topic each for 10`,
    series: { name: "idle", size: sockets },
    args: () => [
      ...["idle", "-n", String(sockets), "--topics", String(sockets / 10), "--connect-rate", "2000"],
      ...["--settle", "2", "--hold", "1"],
    ],
    figures: [memory, joinCpu, failed],
    targets: [none(failed)],
  })),
  ...[500, 1000, 2000, 5000, 10_000].map((users) => ({
    name: `growth-presence-${users}`,
    title: `Presence: ${users.toLocaleString("en-US")} users join one topic at 1,000/s`,
    series: { name: "presence", size: users },
    args: () => ["presence", "-n", String(users), "--connect-rate", "1000", "--max-pending", String(users)],
    nullArgs: (ours) => sameBytes(ours, users),
    figures: presenceFigures,
    targets: [none(failed)],
  })),
]

export const SCENARIOS = [
  {
    name: "fanout-saturated",
    title: "Fan-out, saturated: 1,000 subscribers, 1 publisher",
    args: () => ["fanout", "-n", "1000", "-m", "8000", ...STEADY, "--rate", "0", "--inflight", "64", "--warmup", "200"],
    figures: [cpuPerMessage, delivered, p99, lost],
    targets: [ratioAtMost(cpuPerMessage, 1.2), ratioAtLeast(delivered, 0.8), none(lost)],
  },
  {
    name: "fanout-16-publishers",
    title: "Fan-out, saturated: 1,000 subscribers, 16 publishers",
    args: () => [
      ...["fanout", "-n", "1000", "--publishers", "16", "-m", "8000", ...STEADY],
      ...["--rate", "0", "--inflight", "64", "--warmup", "200"],
    ],
    figures: [cpuPerMessage, delivered, p99, lost],
    targets: [ratioAtMost(cpuPerMessage, 0.4), none(lost)],
  },
  {
    name: "fanout-single",
    title: "Fan-out, one message at a time: 5,000 subscribers, 10 messages/s",
    args: () => ["fanout", "-n", "5000", "-m", "100", ...STEADY, "--rate", "10", "--connect-rate", "2000"],
    figures: [cpuPerMessage, p99, lost],
    targets: [ratioAtMost(cpuPerMessage, 1.1), none(lost)],
  },
  {
    name: "chat",
    title: "Chat: 2,000 sockets on 200 topics, 1,000 messages/s",
    args: () => [
      ...["chat", "-n", "2000", "--topics", "200", "--rate", "1000", "--duration", "10", ...STEADY],
      ...["--connect-rate", "2000"],
    ],
    figures: [cpuPerMessage, p99, lost],
    targets: [ratioAtMost(cpuPerMessage, 1.3), ratioAtMost(p99, 2), none(lost)],
  },
  {
    name: "idle",
    title: "Idle: 10,000 joined sockets of one user each, with presence, on 1,000 topics",
    args: () => [
      ...["idle", "-n", "10000", "--topics", "1000", "--connect-rate", "2000", "--settle", "2", "--hold", "5"],
    ],
    figures: [memory, joinCpu, failed],
    targets: [atMost(memory, 3072), atMost(joinCpu, 0.25), none(failed)],
  },
  {
    name: "presence-1000",
    title: "Presence: 1,000 users join one topic at 100/s",
    args: () => ["presence", "-n", "1000", "--connect-rate", "100"],
    nullArgs: (ours) => sameBytes(ours, 1000),
    figures: presenceFigures,
    targets: [atMost(presenceFigures[0], 2), none(failed), none(presenceFigures[2]), atMost(presenceFigures[3], 1000)],
  },
  {
    name: "presence-5000",
    title: "Presence: 5,000 users join one topic at 1,000/s",
    args: () => ["presence", "-n", "5000", "--connect-rate", "1000", "--max-pending", "5000"],
    nullArgs: (ours) => sameBytes(ours, 5000),
    figures: presenceFigures,
    targets: [
      ratioAtMost(presenceFigures[0], 3),
      none(failed),
      none(presenceFigures[2]),
      atMost(presenceFigures[3], 2000),
      atMost(presenceFigures[5], 3072),
    ],
  },
  {
    name: "rest-saturated",
    title: "REST publish with JWT to one subscriber, 4 keep-alive connections, as fast as it goes",
    needs: "rest",
    args: (target) => ["fanout", ...target.restArgs, "--publishers", "4", "-n", "1", "-m", "100000", "--rate", "0", "--inflight", "4"],
    figures: [
      { name: "requests per second", unit: "/s", of: (result) => result.published_per_s, more: true, alone: true },
      { name: "requests per CPU second", unit: "/s", of: (result) => 1e6 / result.server_us_per_delivered, more: true, alone: true },
      lost,
    ],
    get targets() {
      return [{ figure: this.figures[1], text: "at least 20,000", met: (ours) => ours >= 20_000 }, none(lost)]
    },
  },
  {
    name: "rest-half",
    title: "REST publish with JWT, 10,000 requests/s",
    needs: "rest",
    args: (target) => ["fanout", ...target.restArgs, "--publishers", "4", "-n", "1", "-m", "50000", "--rate", "10000"],
    figures: [{ ...p99, alone: true }, lost],
    get targets() {
      return [atMost(this.figures[0], 5), none(lost)]
    },
  },
  {
    name: "alone",
    title: "200 sockets on 20 topics, 100 messages/s, nothing else on the server",
    args: () => BESIDE,
    figures: [p99, lost],
    targets: [none(lost)],
  },
  {
    name: "beside-a-crowd",
    title: "The same beside a topic of 19,000 subscribers with 5 messages/s",
    beside: () => ["fanout", "-n", "19000", "-m", "75", ...STEADY, "--rate", "5", "--connect-rate", "2500"],
    args: () => BESIDE,
    figures: [p99, lost],
    targets: [none(lost)],
  },
  {
    name: "readers-healthy",
    title: "Slow readers, for comparison: all of 1,000 subscribers read, 40 messages/s of 10 KB",
    args: () => slowReaders(0),
    figures: [p99, lost],
    targets: [none(lost)],
  },
  {
    name: "readers-slow",
    title: "Slow readers: 100 of 1,000 subscribers stop reading, 40 messages/s of 10 KB",
    args: () => slowReaders(100),
    figures: [
      p99,
      { name: "the same, over that without slow readers", unit: "×", of: p99.of, over: "readers-healthy", alone: true },
      { name: "slow readers closed", unit: "", of: (result) => result.slow_dropped_by_server, alone: true },
      { name: "the last of them after", unit: "s", of: (result) => result.slow_dropped_at_s?.last, alone: true },
      { name: "memory at most, over before", unit: "MB", of: (result) => result.server_rss_peak_mb - result.server_rss_before_mb },
      lost,
    ],
    get targets() {
      const [, latency, closed, , growth] = this.figures
      return [
        atMost(latency, 1.2),
        { figure: closed, text: "100", met: (ours) => ours === 100 },
        { figure: growth, text: "at most 100 × the queue limit of 2 MiB", met: (ours) => ours <= 210 },
        none(lost),
      ]
    },
  },
  ...GROWTH,
]
