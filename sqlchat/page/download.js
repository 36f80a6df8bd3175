/** Buttons that download all rows of a result as a file. */

import { requestFile } from "./api.js"
import { make, makeButton } from "./dom.js"

const formats = {
  CSV: "text/csv",
  NDJSON: "application/x-ndjson",
  Parquet: "application/vnd.apache.parquet",
  Arrow: "application/vnd.apache.arrow.stream",
}
const keptFor = 60_000 // milliseconds in which the browser takes the file

function save({ blob, name }) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), keptFor)
}

/** Makes a button for each format; a click runs `sql` again for all its rows. */
export function makeDownloads(connection, sql) {
  const status = make("span", { class: "quiet", role: "status", "aria-live": "polite" })
  const buttons = Object.entries(formats).map(([format, type]) => {
    const button = makeButton(format, async () => {
      button.disabled = true
      status.className = "quiet"
      status.textContent = "Running the SQL for all its rows …"
      try {
        const file = await requestFile(connection, sql, type)
        save(file)
        status.textContent = `Saved as ${file.name}.`
      } catch (problem) {
        status.className = "field-error"
        status.textContent = problem.message
      } finally {
        button.disabled = false
      }
    }, { "aria-label": `Download all rows as ${format}` })
    return button
  })
  return make("p", { class: "buttons downloads" }, make("span", { class: "quiet" }, "Download all rows:"), ...buttons, status)
}
