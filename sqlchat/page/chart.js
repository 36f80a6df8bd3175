/** Draws the chart of an answer from its Vega-Lite specification. Loads the libraries for the first chart. */

import { make } from "./dom.js"

const libraries = ["vega-6.4.0", "vega-lite-6.4.3", "vega-embed-7.3.0"]
let loading = null

function loadScript(name) {
  return new Promise((resolve, reject) => {
    const src = new URL(`vendor/${name}.min.js`, import.meta.url).href
    document.head.append(make("script", { src, onload: resolve, onerror: () => reject(new Error(name)) }))
  })
}

async function loadLibraries() {
  for (const name of libraries) await loadScript(name)
}

const quiet = { labelColor: "currentColor", titleColor: "currentColor", titleFontWeight: "normal" }
const axis = { ...quiet, gridColor: "currentColor", gridOpacity: 0.12, domainColor: "currentColor", domainOpacity: 0.4,
  tickColor: "currentColor", tickOpacity: 0.4, labelLimit: 140,
  labelOverlap: "greedy", labelSeparation: 8 }
const config = { background: null, font: "inherit", view: { stroke: null }, axis, legend: quiet, bar: { color: "#4a7fc1" },
  line: { color: "#4a7fc1" }, point: { color: "#4a7fc1" } }
const options = { mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, tooltip: false }

const letter = 8 // pixels

/** Chooses the angle of names under bars and the number of ticks on a time axis by the room that there is. */
function fitLabels(chart, values, width) {
  const field = chart.spec.encoding.x?.field
  const longest = Math.max(...values.map(row => String(row[field]).length))
  const labelAngle = longest * letter * values.length < width ? 0 : -45
  return { axisBand: { labelAngle }, axisTemporal: { tickCount: Math.max(Math.floor(width / 100), 2) } }
}

/** Fills `place` with the chart of `rows`; a single amount is shown as text. */
export async function drawChart(place, chart, rows) {
  if (chart.kind === "number") return place.append(make("p", { class: "amount" }, String(rows[0][0])))
  place.setAttribute("aria-busy", "true")
  try {
    await (loading ??= loadLibraries())
    const values = rows.map(row => Object.fromEntries(row.map((value, at) =>
      ["c" + at, value instanceof Number ? Number(value) : value])))
    const look = { ...config, ...fitLabels(chart, values, place.clientWidth) }
    const { y } = chart.spec.encoding
    const description = `Chart: ${chart.reason}${y?.title ? `, ${y.title}` : ""}. The table below has its numbers.`
    const drawn = { ...chart.spec, description, data: { values }, width: "container", height: 240, config: look }
    await globalThis.vegaEmbed(place, drawn, options)
  } catch (error) {
    place.replaceChildren(make("p", { class: "quiet" }, "The chart could not be drawn; the table has its numbers."))
    console.error(error)
  } finally {
    place.removeAttribute("aria-busy")
  }
}
