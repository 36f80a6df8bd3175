/** Wires the form that adds a database, and shows each error beside its field. */

import { announce, find, make } from "./dom.js"
import { request } from "./api.js"

const server = [
  ["host", "Host"], ["port", "Port", { inputmode: "numeric", placeholder: "the usual one" }], ["database", "Database"], ["user", "User"],
  ["password", "Password", { type: "password", autocomplete: "off" }],
  ["sslmode", "Encryption (sslmode)", { placeholder: "require, verify-full, disable …" }],
]
const file = [["database", "File, below the data folder"]]
const spark = [...server.slice(0, 2), ["token", "Token", server[4][2]], ["catalog", "Catalog"], ["database", "Database"], server[5]]
const fieldsOf = { postgres: server, mysql: server, spark, sqlite: file, duckdb: file }

/** Finds the field that an error's text is about; null if there is none. */
function findField(detail, names) {
  const missing = detail.match(/^config: (.*) (?:is|are) missing/)
  if (missing) return missing[1].split(", ")[0]
  const [, named] = detail.match(/\bfield `(\w+)`/) ?? []
  if (names.includes(named)) return named
  const rules = [["password", /password|authentication/i], ["sslmode", /ssl|certificate|encrypt/i], ["port", /\bport\b/i],
    ["database", /database .*(not exist|unknown)|unknown database|no file|database (folder|file)|\bfile\b/i],
    ["user", /\b(role|user)\b/i], ["host", /host|refused|reach|resolve|address|timed out|took too long/i]]
  return rules.find(([name, words]) => names.includes(name) && words.test(detail))?.[0] ?? null
}

/** Wires the form. `selectConnection(name)` is called with a new connection. */
export function prepareDatabases(selectConnection) {
  const dialog = find("databases"), form = find("database-form"), place = find("database-fields"), failure = find("database-error")
  const errorOf = name => find(`error-${name}`)

  function makeField([name, label, attributes = {}]) {
    return make("label", {}, label,
      make("input", { name, "aria-describedby": `error-${name}`, autocapitalize: "off", spellcheck: "false", ...attributes }),
      make("span", { class: "field-error", id: `error-${name}` }))
  }

  function showFields() {
    place.replaceChildren(...fieldsOf[form.elements.provider.value].map(makeField))
    clearErrors()
  }

  function clearErrors() {
    failure.textContent = ""
    for (const input of form.elements) input.removeAttribute?.("aria-invalid")
    for (const error of form.querySelectorAll(".field-error")) error.textContent = ""
  }

  function showError(name, text) {
    const input = name && form.elements[name]
    if (!input || !errorOf(name)) {
      failure.textContent = text
      return
    }
    errorOf(name).textContent = text
    input.setAttribute("aria-invalid", "true")
    input.focus()
  }

  function showProblem(problem) {
    const names = fieldsOf[form.elements.provider.value].map(([name]) => name)
    const { status, errors } = problem.body ?? {}
    if (errors) {
      for (const [name, texts] of Object.entries(errors)) showError(name, [texts].flat().map(text => typeof text === "string" ? text : JSON.stringify(text)).join(" "))
    } else showError(status === 409 ? "name" : findField(problem.message, names), problem.message)
    announce(problem.message)
  }

  form.elements.provider.addEventListener("change", showFields)
  form.addEventListener("submit", async event => {
    event.preventDefault()
    clearErrors()
    const { provider, name, privacy, ...fields } = Object.fromEntries(new FormData(form))
    const config = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""))
    const submit = find("database-add")
    submit.disabled = true
    submit.textContent = "Trying …"
    try {
      await request("POST", "/api/connections", { provider, name, privacy, config })
      form.reset()
      dialog.close()
      await selectConnection(name)
    } catch (problem) {
      showProblem(problem)
    } finally {
      submit.disabled = false
      submit.textContent = "Add it"
    }
  })
  find("open-databases").addEventListener("click", () => {
    showFields()
    dialog.showModal()
  })
}
