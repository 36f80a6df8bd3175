/** Shows a result as a table that sorts by its columns. */

import { Digits, isNumber } from "./api.js"
import { count, make, makeButton } from "./dom.js"

const shownAtFirst = 100
const longestShort = 32 // characters that stay on one line
const isFloating = type => /^(real|double|float)/i.test(type ?? "")

function order(a, b) {
  if (a === null || b === null) return 0
  if (isNumber(a) && isNumber(b)) return a - b
  return String(a).localeCompare(String(b), undefined, { numeric: true })
}

/** Sorts `rows` by the column `at`: 1 upwards, -1 downwards, 0 in the order of the answer. NULL is always last. */
function sortRows(rows, at, direction) {
  if (!direction) return rows
  return rows.toSorted((a, b) => (a[at] === null) - (b[at] === null) || direction * order(a[at], b[at]))
}

/** Shows 14 digits of a floating number, and all of them as a title: sums have errors such as 0.30000000000000004. */
function makeFloating(value) {
  const short = String(Number(value.toPrecision(14)))
  return make("td", { class: "number short", title: short === String(value) ? null : value }, short)
}

function makeCell(value, isNumeric, type) {
  if (value === null) return make("td", { class: isNumeric ? "null number" : "null" }, "NULL")
  if (typeof value === "number" && isFloating(type)) return makeFloating(value)
  const text = typeof value === "object" && !(value instanceof Digits) ? JSON.stringify(value) : String(value)
  return make("td", { class: isNumeric ? "number short" : text.length <= longestShort ? "short" : null }, text)
}

/** The table of `results` ({columns, rows, row_count, truncated, types}) with its note on how many rows there are. */
export function makeTable(results) {
  const { columns, rows, types = [] } = results
  const numeric = columns.map((_, at) => rows.some(row => isNumber(row[at])) && rows.every(row => row[at] === null || isNumber(row[at])))
  let sorted = rows, sortedBy = -1, direction = 0, shown = shownAtFirst
  const body = make("tbody")
  const headings = columns.map((name, at) => make("th", { scope: "col", class: numeric[at] ? "number" : null },
    makeButton(name, () => sortBy(at))))
  const rest = makeButton(`Show all ${count(rows.length, "row")}`, () => { shown = rows.length; fill() })

  function sortBy(at) {
    direction = at !== sortedBy ? 1 : direction === 1 ? -1 : direction === -1 ? 0 : 1
    sortedBy = at
    sorted = sortRows(rows, at, direction)
    headings.forEach((heading, place) => {
      if (place === at && direction) heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending")
      else heading.removeAttribute("aria-sort")
    })
    fill()
  }

  function fill() {
    body.replaceChildren(...sorted.slice(0, shown).map(row =>
      make("tr", {}, ...row.map((value, at) => makeCell(value, numeric[at], types[at])))))
    rest.hidden = shown >= rows.length
  }

  fill()
  const note = results.truncated ? `First ${rows.length.toLocaleString("en")} of more rows` : count(rows.length, "row")
  return make("div", { class: "result" },
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rows of the result" },
      make("table", {}, make("thead", {}, make("tr", {}, ...headings)), body)),
    make("p", { class: "quiet" }, note, " ", rest))
}
