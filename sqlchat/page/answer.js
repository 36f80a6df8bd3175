/** Shows a question with its stages, and its answer or its problem. */

import { ask, request } from "./api.js"
import { drawChart } from "./chart.js"
import { announce, count, make, makeButton, makeFold, makeList } from "./dom.js"
import { makeDownloads } from "./download.js"
import { makeFeedback } from "./feedback.js"
import { makeSql, wrapSql } from "./sql.js"
import { suggestQuestions } from "./suggestions.js"
import { makeTable } from "./table.js"

const stages = {
  context: data => `Read the catalog: ${count(data.tables_shown, "table")}`,
  sql: data => data.attempt > 1 ? `Wrote the SQL again, try ${data.attempt}` : "Wrote the SQL",
  checked: data => `Checked the SQL: it reads ${data.lineage.tables_read.join(", ") || "no table"}`,
  results: data => `Ran it: ${count(data.row_count, "row")}`,
}

const milliseconds = value => value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`

/** A list of names and values; facts without a value are left out. */
function makeFacts(facts) {
  const present = facts.filter(([, value]) => value !== null && value !== undefined && value !== "")
  return make("dl", {}, ...present.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]))
}

function makeReceipt(answer) {
  const { lineage, tokens, timings } = answer
  const matched = answer.values_matched.map(match => `“${match.words}” is ${match.value} in ${match.table}.${match.column}`)
  const lists = [
    makeList("Assumptions", answer.assumptions),
    makeList("Values matched", matched),
    makeList("Terms used", answer.terms_used),
    makeList("Tables left out of the prompt", answer.tables_omitted),
  ]
  const isRepeated = answer.interpretation && answer.explanation?.endsWith(answer.interpretation.slice(1))
  const explanation = answer.explanation && !isRepeated
  return make("div", { class: "receipt" }, ...lists,
    makeFold("Cost and time", makeFacts([
      ["Answered by", `${answer.provider}, ${answer.model}`],
      ["Reads", lineage.columns_used.join(", ") || lineage.tables_read.join(", ")],
      ["Explanation", explanation ? answer.explanation : null],
      ["Sent to a model", answer.sent.join(", ") || "nothing of the database"],
      ["Tokens", `${tokens.total} (${tokens.prompt} in the prompt, ${tokens.completion} in the answer)`],
      ["Cost", answer.cost_usd === null ? null : `${answer.cost_usd} US dollars`],
      ["Time", Object.entries(timings).map(([name, value]) => `${name} ${milliseconds(value)}`).join(", ")],
    ])))
}

function makeResult(connection, answer) {
  const { chart, results } = answer
  const place = chart?.spec ? make("div", { class: "chart" }) : null
  if (place) drawChart(place, chart, results.rows)
  return [place, makeTable(results), makeDownloads(connection, answer.executed_sql ?? answer.sql)]
}

/** The problem in words. Its suggestions are buttons that call `askAgain`. */
function makeProblem(problem, askAgain) {
  const { title, detail, suggestions = [], request_id: id } = problem.body ?? { detail: String(problem) }
  const buttons = suggestions.map(question => makeButton(question, () => askAgain(question), { class: "chip" }))
  return make("div", { class: "problem" },
    title ? make("h3", {}, title) : null,
    make("p", {}, detail),
    buttons.length ? make("div", { class: "chips", role: "group", "aria-label": "Questions that can be answered" }, ...buttons) : null,
    id ? make("p", { class: "quiet" }, `Request ${id}`) : null)
}

/** Runs SQL that a person edited, and shows its rows and its failures in `place`. */
async function runEdited(connection, sql, place) {
  place.replaceChildren(make("p", { class: "quiet" }, "Running …"))
  try {
    const { results } = await request("POST", "/api/execute", { connection_id: connection, sql })
    place.replaceChildren(make("h3", {}, "Rows of your SQL"), makeTable(results), makeDownloads(connection, sql))
    announce(`Your SQL gave ${count(results.row_count, "row")}.`)
  } catch (problem) {
    place.replaceChildren(makeProblem(problem))
    announce(problem.message)
  }
}

function makeSqlPart(connection, sql) {
  const rows = make("div")
  return make("section", {}, make("h3", {}, "SQL"), makeSql(wrapSql(sql), edited => runEdited(connection, edited, rows)), rows)
}

/** Shows SQL that was run before, and runs it again at once. Returns its article. */
export function showSql(connection, sql) {
  const part = makeSqlPart(connection, sql)
  runEdited(connection, sql, part.lastElementChild)
  return make("article", { tabindex: -1 }, part)
}

/**
 * Asks `question` ({connection_id, prompt, ...}). Returns its article, and a promise of the answer (null if it failed).
 * `askAgain(text)` asks another question.
 */
export function showQuestion(question, askAgain) {
  const stopping = new AbortController()
  const steps = make("ol", { class: "steps" })
  const stop = makeButton("Stop", () => stopping.abort())
  const early = make("div", {}, make("p", { class: "quiet" }, "Working …"))
  const body = make("div", { "aria-busy": "true" }, steps, early, stop)
  const about = make("p", { class: "quiet" }, question.connection_id, question.conversation_id ? " · follow-up" : "")
  const article = make("article", { tabindex: -1 }, make("header", {}, make("h2", {}, question.prompt), about), body)

  function onStage(name, data) {
    const text = stages[name]?.(data)
    if (text) steps.append(make("li", {}, text))
    if (name === "sql") early.replaceChildren(make("pre", {}, make("code", {}, wrapSql(data.sql))))
    if (name === "results") early.replaceChildren(makeTable(data))
  }

  async function follow() {
    try {
      const answer = await ask(question, onStage, stopping.signal)
      body.replaceChildren(...[
        make("p", { class: "interpretation" }, answer.interpretation || answer.explanation),
        makeList("Warnings", answer.warnings, "warning"),
        ...(answer.results ? makeResult(question.connection_id, answer) : []),
        makeSqlPart(question.connection_id, answer.sql),
        makeReceipt(answer),
        makeFeedback(answer.history_id, answer.executed_sql ?? answer.sql),
      ].filter(Boolean))
      announce(`Answered: ${count(answer.results?.row_count ?? 0, "row")}. ${answer.interpretation}`)
      return answer
    } catch (problem) {
      const stopped = problem.name === "AbortError"
      const isRefused = problem.body?.code === "question_not_answerable"
      if (isRefused && !problem.body.suggestions?.length) problem.body.suggestions = await suggestQuestions(question.connection_id)
      body.replaceChildren(stopped ? make("p", { class: "quiet" }, "Stopped.") : makeProblem(problem, askAgain))
      announce(stopped ? "Stopped." : problem.message)
      return null
    } finally {
      body.removeAttribute("aria-busy")
    }
  }

  return { article, answered: follow() }
}
