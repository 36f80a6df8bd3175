/** Lists the caller's questions and SQL, newest first; a click asks or runs one again. */

import { request } from "./api.js"
import { count, find, make, makeButton } from "./dom.js"
import { describeFeedback } from "./feedback.js"

/** Wires the dialog. `askAgain(entry)` is called with the entry that was chosen. */
export function prepareHistory(askAgain) {
  const dialog = find("history"), list = find("history-list"), more = find("history-more")
  let next = null

  function makeEntry(entry) {
    const outcome = entry.outcome === "ok" ? count(entry.row_count ?? 0, "row") : entry.outcome.replaceAll("_", " ")
    const text = entry.question ?? entry.sql ?? ""
    const again = makeButton(text, () => { dialog.close(); askAgain(entry) }, { class: entry.question ? "entry" : "entry code" })
    const facts = [new Date(entry.at).toLocaleString(), entry.connection_id, outcome, describeFeedback(entry.feedback)]
    return make("li", {}, again, make("span", { class: "quiet" }, facts.filter(Boolean).join(" · ")))
  }

  async function load() {
    more.hidden = true
    try {
      const page = await request("GET", `/api/history?limit=20${next ? `&before=${next}` : ""}`)
      list.append(...page.history.map(makeEntry))
      if (!list.children.length) list.append(make("li", { class: "quiet" }, "Nothing yet."))
      next = page.next
      more.hidden = !next
    } catch (problem) {
      list.append(make("li", { class: "field-error", role: "alert" }, problem.message))
    }
  }

  more.addEventListener("click", load)
  find("open-history").addEventListener("click", () => {
    list.replaceChildren()
    next = null
    dialog.showModal()
    load()
  })
}
