/** Shows SQL with highlighting, and with buttons to copy, edit and run it. */

import { announce, make, makeButton } from "./dom.js"

const keywords = new Set(("all and any as asc between by case cast collate cross current_date current_timestamp date_trunc " +
  "desc distinct else end escape except exists extract false fetch filter first following from full group having ilike in " +
  "inner intersect interval is join last lateral left like limit natural not null nulls offset on or order outer over " +
  "partition preceding qualify range recursive right row rows select then true unbounded union unnest using values when " +
  "where window with").split(" "))
const pieces = /(--[^\n]*|\/\*[\s\S]*?\*\/)|('(?:[^']|'')*')|("(?:[^"]|"")*"|`[^`]*`)|(\b\d+(?:\.\d+)?\b)|(\b[A-Za-z_]\w*\b)/g
const lineStarts = /\s+(?=(?:FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|(?:LEFT |INNER |CROSS |FULL |RIGHT )?JOIN)\b)/g

const quoted = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`/g

/** Puts the clauses of one-line SQL on lines of their own. SQL with comments or with quoted spaces stays as it is. */
export function wrapSql(sql) {
  const isFixed = /\n|--|\/\*/.test(sql) || (sql.match(quoted) ?? []).some(text => /\s/.test(text))
  return isFixed ? sql : sql.replace(lineStarts, "\n")
}

function highlight(sql) {
  const parts = []
  let end = 0
  for (const match of sql.matchAll(pieces)) {
    const [text, comment, string, , number, word] = match
    const kind = comment ? "comment" : string ? "string" : number ? "amount-in-sql" : word && keywords.has(word.toLowerCase()) ? "keyword" : ""
    if (!kind) continue
    parts.push(sql.slice(end, match.index), make("span", { class: kind }, text))
    end = match.index + text.length
  }
  return [...parts, sql.slice(end)]
}

/** The SQL with its buttons; `run(sql)` runs an edited text. */
export function makeSql(sql, run) {
  const shown = make("pre", { tabindex: 0, role: "region", "aria-label": "SQL" }, make("code", {}, ...highlight(sql)))
  const editor = make("textarea", { "aria-label": "SQL to run", spellcheck: "false", rows: 8, hidden: true })
  editor.value = sql
  const runIt = makeButton("Run this SQL", () => run(editor.value), { hidden: true, class: "main" })
  const edit = makeButton("Edit", () => {
    editor.rows = Math.min(editor.value.split("\n").length + 1, 20)
    shown.hidden = edit.hidden = true
    editor.hidden = runIt.hidden = false
    editor.focus()
  })
  editor.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(editor.value)
  })
  const copy = makeButton("Copy", async () => {
    try {
      await navigator.clipboard.writeText(editor.value)
      copy.textContent = "Copied"
      announce("The SQL is copied.")
      setTimeout(() => { copy.textContent = "Copy" }, 2000)
    } catch { // browsers allow it on encrypted and local pages alone
      edit.click()
      editor.select()
    }
  })
  return make("div", { class: "sql" }, shown, editor, make("p", { class: "buttons" }, copy, edit, runIt))
}
