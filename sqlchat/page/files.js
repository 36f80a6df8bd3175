/** Uploads a file, shows its profile, and makes a connection of it. */

import { request, upload } from "./api.js"
import { announce, count, find, make, makeButton, makeList, makeSvg, size } from "./dom.js"

const width = 96, height = 20, mostBars = 8

/** Draws a column: a bar for each of its most frequent values, and below them the share of values that are not null. */
function drawColumn(column, rowCount) {
  const top = (column.top ?? []).slice(0, mostBars)
  const tallest = Math.max(...top.map(entry => entry.count), 1)
  const step = width / mostBars
  const bars = top.map((entry, at) => {
    const tall = Math.max((height - 4) * entry.count / tallest, 1)
    return makeSvg("rect", { class: "bar", x: at * step, y: height - 4 - tall, width: step - 2, height: tall })
  })
  const filled = rowCount ? width * (1 - column.nulls / rowCount) : 0
  const ground = makeSvg("rect", { class: "ground", x: 0, y: height - 2, width, height: 2 })
  const share = makeSvg("rect", { class: "bar", x: 0, y: height - 2, width: filled, height: 2 })
  const label = top.length ? `Most frequent: ${top.map(entry => `${entry.value} (${entry.count})`).join(", ")}` : "No values"
  const title = makeSvg("title", {}, label)
  return makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    title, ...bars, ground, share)
}

const show = value => value === null || value === undefined ? "" : String(value)

function makeProfile(profile) {
  const names = ["Column", "Type", "Empty", "Different", "Least", "Most", "Frequent values"]
  const rows = profile.columns.map(column => make("tr", {},
    make("th", { scope: "row" }, column.name),
    make("td", {}, column.type),
    make("td", { class: "number" }, show(column.nulls)),
    make("td", { class: "number" }, (column.distinct_is_exact === false ? "about " : "") + show(column.distinct)),
    make("td", {}, show(column.min)),
    make("td", {}, show(column.max)),
    make("td", {}, drawColumn(column, profile.row_count))))
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Columns of the file" },
    make("table", { class: "profile" },
      make("thead", {}, make("tr", {}, ...names.map(name => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows)))
}

/** Makes a connection of an uploaded file under a free name, and returns the name. */
async function connectFile(kept, taken) {
  const stem = kept.file_name.replace(/\.[a-z0-9]+(\.gz)?$/i, "").replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 40) || "file"
  let name = stem
  for (let number = 2; taken.includes(name); number++) name = `${stem}-${number}`
  await request("POST", "/api/connections", { provider: "files", name, config: { files: [kept.storage_path] } })
  return name
}

/** Wires the files' dialog. `selectConnection(name)` is called with a new connection, `listNames()` gives all names. */
export function prepareFiles(selectConnection, listNames) {
  const dialog = find("files"), chosen = find("file"), place = find("file-result"), bar = find("file-progress")

  function fail(problem, ...more) {
    place.replaceChildren(make("p", { class: "field-error", role: "alert" }, problem.message), ...more)
  }

  function showKept(kept) {
    const failure = make("p", { class: "field-error", role: "alert" })
    const askIt = makeButton("Ask this file", async () => {
      askIt.disabled = true
      askIt.textContent = "Making tables of it …"
      failure.textContent = ""
      try {
        const name = await connectFile(kept, listNames())
        dialog.close()
        await selectConnection(name)
      } catch (problem) {
        failure.textContent = problem.message
      } finally {
        askIt.disabled = false
        askIt.textContent = "Ask this file"
      }
    }, { class: "main", id: "ask-file" })
    const facts = `${kept.storage_path} · ${size(kept.size_bytes)} · ${count(kept.profile.row_count, "row")}`
    place.replaceChildren(make("p", {}, facts), ...[makeList("Warnings", kept.profile.warnings ?? [], "warning")].filter(Boolean),
      makeProfile(kept.profile), failure, make("p", { class: "buttons" }, askIt))
    askIt.focus()
    announce(`Uploaded: ${count(kept.profile.row_count, "row")}, ${count(kept.profile.columns.length, "column")}.`)
  }

  async function send(file, mayReplace = false) {
    if (!dialog.open) dialog.showModal()
    bar.hidden = false
    bar.value = 0
    place.replaceChildren(make("p", { class: "quiet" }, `Uploading ${file.name}, ${size(file.size)} …`))
    try {
      showKept(await upload(file, mayReplace, share => {
        bar.value = share
        if (share === 1) place.replaceChildren(make("p", { class: "quiet" }, `Reading ${file.name} …`))
      }))
    } catch (problem) {
      const taken = problem.body?.status === 409
      fail(problem, ...(taken ? [makeButton("Replace it", () => send(file, true))] : []))
    } finally {
      bar.hidden = true
      chosen.value = ""
    }
  }

  chosen.addEventListener("change", () => chosen.files.length && send(chosen.files[0]))
  const carriesFile = event => event.dataTransfer?.types.includes("Files")
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, event => {
      if (!carriesFile(event)) return
      event.preventDefault()
      document.body.classList.add("dropping")
    })
  }
  document.addEventListener("dragleave", event => event.relatedTarget || document.body.classList.remove("dropping"))
  document.addEventListener("drop", event => {
    document.body.classList.remove("dropping")
    if (!carriesFile(event)) return
    event.preventDefault()
    const [first, ...others] = event.dataTransfer.files
    if (first) send(first)
    if (others.length) announce("One file at a time: the first one is uploaded.")
  })
  find("open-files").addEventListener("click", () => {
    place.replaceChildren()
    dialog.showModal()
  })
}
