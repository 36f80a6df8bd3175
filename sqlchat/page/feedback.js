/** Makes the buttons Good and Bad of an answer, with fields for a comment and for correct SQL. */

import { request } from "./api.js"
import { make, makeButton } from "./dom.js"

/** The buttons for the entry `id` of the history with its `sql`; null for an answer without an entry. */
export function makeFeedback(id, sql) {
  if (!id) return null
  const path = `/api/history/${id}/feedback`
  const thumbs = {
    good: makeButton("Good", () => choose("good"), { class: "thumb", "aria-label": "Good answer", "aria-pressed": "false" }),
    bad: makeButton("Bad", () => choose("bad"), { class: "thumb", "aria-label": "Bad answer", "aria-pressed": "false" }),
  }
  const status = make("p", { class: "quiet", role: "status", "aria-live": "polite" })
  const comment = make("textarea", { rows: 2, maxlength: 1000 })
  const corrected = make("textarea", { rows: 4, class: "code", spellcheck: "false" })
  const correction = make("label", {}, "SQL that is right", corrected)
  const example = make("input", { type: "checkbox" })
  const more = make("form", { class: "fields", hidden: true, onsubmit: event => { event.preventDefault(); give("Sent.") } },
    make("label", {}, "Comment", comment), correction,
    make("label", { class: "inline" }, example, "Keep as a verified example"),
    make("p", { class: "buttons" }, make("button", { type: "submit" }, "Send feedback")))
  let rating = null

  function show(chosen) {
    rating = chosen
    for (const [name, thumb] of Object.entries(thumbs)) thumb.setAttribute("aria-pressed", String(name === rating))
    more.hidden = !rating
    correction.hidden = rating !== "bad"
    if (!corrected.value) corrected.value = sql
  }

  async function attempt(work, done) {
    try {
      await work()
      status.textContent = done
      status.className = "quiet"
    } catch (problem) {
      status.textContent = [problem.message, ...Object.values(problem.body?.errors ?? {}).flat()].join(" ")
      status.className = "field-error"
    }
  }

  const give = done => attempt(async () => {
    const sqlThatIsRight = rating === "bad" && corrected.value.trim() !== sql.trim() ? corrected.value.trim() : ""
    await request("POST", path, { rating, comment: comment.value || null, corrected_sql: sqlThatIsRight || null, as_example: example.checked })
  }, done)

  async function choose(chosen) {
    if (chosen === rating) {
      await attempt(() => request("DELETE", path), "Feedback removed.")
      show(null)
      return
    }
    show(chosen)
    example.checked = false
    await give(chosen === "good" ? "Marked as good." : "Marked as bad. What would be right?")
  }

  const group = make("div", { class: "thumbs", role: "group", "aria-label": "Was this answer right?" }, thumbs.good, thumbs.bad)
  return make("section", { class: "feedback" }, group, status, more)
}

/** Describes the feedback on an entry in words; "" if there is none. */
export function describeFeedback(feedback) {
  if (!feedback) return ""
  return [`found ${feedback.rating}`, feedback.comment, feedback.corrected_sql && "SQL corrected"].filter(Boolean).join(": ")
}
