// Results of many runs: medians, their ratio to the null server's, and the targets met.

/**
 * @param {object[]} scenarios
 * @param {{round: number, scenario: string, server: "ours" | "null", result: object}[]} runs
 */
export function summarize(scenarios, runs) {
  return scenarios.map((scenario) => {
    const of = (server) => runs.filter((run) => run.scenario === scenario.name && run.server === server)
    const [ours, nil] = [of("ours"), of("null")]
    const figures = scenario.figures.map((figure) => {
      const others = runs.filter((run) => run.scenario === figure.over && run.server === "ours")
      return summarizeFigure(figure.over ? overOther(figure, others) : figure, ours, nil, scenario.targets)
    })
    const noisy = [...ours, ...nil].filter(({ result }) => result.noisy).length
    return { name: scenario.name, title: scenario.title, series: scenario.series, figures, noisy, runs: ours.length + nil.length }
  })
}

/** A figure as a multiple of what it is in another scenario, in the same round. */
function overOther(figure, others) {
  const of = (result, round) => divide(figure.of(result), figure.of(others.find((run) => run.round === round)?.result ?? {}))
  return { ...figure, of }
}

function summarizeFigure(figure, ours, nil, targets) {
  const values = (runs) => runs.map(({ result, round }) => figure.of(result, round) ?? null)
  const median = middle(values(ours))
  const nullMedian = figure.alone ? null : middle(values(nil))
  // Of the same round, so that what disturbs one of them most often disturbs both.
  const ratio = figure.alone ? null : middle(values(ours).map((value, round) => divide(value, values(nil)[round])))
  const target = targets.find((target) => target.figure.name === figure.name)
  const met = target && median !== null ? target.met(ratio === null ? median : ratio * nullMedian, nullMedian) : null
  return { name: figure.name, unit: figure.unit, ours: median, null: nullMedian, ratio, target: target?.text ?? null, met, values: values(ours) }
}

function middle(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b)
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null
}

const divide = (a, b) => (Number.isFinite(a) && b > 0 ? a / b : null)

/** A table in Markdown. */
export function tableOf(summary) {
  const rows = [
    ["scenario", "", "this server", "null server", "ratio", "wanted", ""],
    ["---", "---", "---:", "---:", "---:", "---", "---"],
  ]
  for (const { title, figures, noisy, runs } of summary) {
    figures.forEach(({ name, unit, ours, null: nil, ratio, target, met }, at) => {
      const heading = at === 0 ? `${title}${noisy ? ` (${noisy} of ${runs} runs disturbed)` : ""}` : ""
      const verdict = met === null ? "" : met ? "met" : "**missed**"
      rows.push([heading, name, number(ours, unit), number(nil, unit), ratio === null ? "" : ratio.toFixed(2), target ?? "", verdict])
    })
  }
  return rows.map((row) => `| ${row.join(" | ")} |`).join("\n") + "\n"
}

function number(value, unit) {
  if (value === null) return ""
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return unit === "/s" ? `${text}/s` : unit ? `${text} ${unit}` : text
}
