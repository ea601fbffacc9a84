// `node plot.js results/growth.json ../docs/performance`: draws how costs grow with the number of sockets, as SVG.

import fs from "node:fs"
import path from "node:path"

const SIZE = { width: 640, height: 360, left: 70, right: 150, top: 40, bottom: 50 }
const COLORS = { ours: "#0b6e4f", null: "#8a8a8a" }
const NAMES = { ours: "this server", null: "null server" }

/** The plots: a figure of a series each. */
const PLOTS = [
  ...[{ file: "fanout.svg", series: "fanout", figure: "CPU per delivered message", x: "subscribers of one topic" }],
  ...[{ file: "deliveries.svg", series: "fanout", figure: "delivered per second", x: "subscribers of one topic" }],
  ...[{ file: "memory.svg", series: "idle", figure: "memory per socket (RSS)", x: "joined idle sockets" }],
  ...[{ file: "joins.svg", series: "idle", figure: "CPU per connect and join", x: "joined idle sockets" }],
  ...[{ file: "presence.svg", series: "presence", figure: "CPU", x: "users who join one topic at 1,000/s" }],
  ...[{ file: "views.svg", series: "presence", figure: "every view complete after the last join", x: "users who join one topic at 1,000/s" }],
]

const MIDDLE = 'text-anchor="middle"'
const END = 'text-anchor="end"'
const round = (number) => Math.round(number * 10) / 10
const text = (x, y, content, attributes = "") => `<text x="${round(x)}" y="${round(y)}" ${attributes}>${content}</text>`
const line = (x1, y1, x2, y2, color) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}"/>`

const [input, output] = process.argv.slice(2)
if (!output) {
  console.error("usage: node plot.js RESULTS.json FOLDER")
  process.exit(2)
}
const { summary, machine } = JSON.parse(fs.readFileSync(input, "utf8"))
fs.mkdirSync(output, { recursive: true })
for (const plot of PLOTS) {
  const lines = linesOf(plot)
  if (lines.length) fs.writeFileSync(path.join(output, plot.file), draw(plot, lines))
}

/** One line for each server that has the figure: `{ server, unit, points: [[size, value]] }`. */
function linesOf({ series, figure }) {
  const rows = summary.filter((row) => row.series?.name === series)
  return ["ours", "null"].flatMap((server) => {
    const found = rows.map((row) => ({ size: row.series.size, ...row.figures.find(({ name }) => name === figure) }))
    const points = found.filter((point) => Number.isFinite(point[server])).map((point) => [point.size, point[server]])
    return points.length ? [{ server, unit: found[0].unit, points: points.sort((a, b) => a[0] - b[0]) }] : []
  })
}

function draw({ figure, x: xTitle }, lines) {
  const all = lines.flatMap(({ points }) => points)
  const [xTicks, yTicks] = [0, 1].map((axis) => ticks(Math.max(...all.map((point) => point[axis]))))
  const right = SIZE.width - SIZE.right
  const bottom = SIZE.height - SIZE.bottom
  const x = (value) => SIZE.left + ((right - SIZE.left) * value) / xTicks.at(-1)
  const y = (value) => bottom - ((bottom - SIZE.top) * value) / yTicks.at(-1)
  const unit = lines[0].unit
  const parts = [
    text(SIZE.left, 22, `${figure}${unit && unit !== "/s" ? `, ${unit}` : ""}`, 'font-weight="bold"'),
    ...yTicks.map((tick) => line(SIZE.left, y(tick), right, y(tick), "#ddd") + text(SIZE.left - 8, y(tick) + 4, short(tick), END)),
    ...xTicks.map((tick) => line(x(tick), bottom, x(tick), bottom + 5, "#888") + text(x(tick), bottom + 19, short(tick), MIDDLE)),
    text((SIZE.left + right) / 2, SIZE.height - 10, xTitle, MIDDLE),
    ...lines.map((series) => curve(series, x, y)),
  ]
  const size = `width="${SIZE.width}" height="${SIZE.height}" viewBox="0 0 ${SIZE.width} ${SIZE.height}"`
  const font = 'font-family="system-ui, sans-serif" font-size="13" fill="#222"'
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font}>
<title>${figure} by ${xTitle}; ${machine}</title>
<rect width="100%" height="100%" fill="white"/>
${parts.join("\n")}
</svg>
`
}

function curve({ server, points }, x, y) {
  const path = points.map(([size, value]) => `${round(x(size))},${round(y(value))}`)
  const dots = path.map((at) => at.split(",")).map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${COLORS[server]}"/>`)
  const [, last] = points.at(-1)
  return [
    `<polyline points="${path.join(" ")}" fill="none" stroke="${COLORS[server]}" stroke-width="2"/>`,
    ...dots,
    text(SIZE.width - SIZE.right + 10, y(last) + 4, NAMES[server], `style="fill:${COLORS[server]}"`),
  ].join("")
}

/** Five or so round numbers from zero to beyond `max`. */
function ticks(max) {
  const rough = max / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)
  const count = Math.ceil(max / step)
  return Array.from({ length: count + 1 }, (_, at) => at * step)
}

function short(value) {
  if (value >= 1e6) return `${round(value / 1e6)} M`
  return Number(value.toPrecision(6)).toLocaleString("en-US")
}
