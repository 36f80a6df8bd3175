/** Runs the page: chooses a connection, asks it questions, and shows them as a conversation. */

import { request } from "./api.js"
import { showQuestion, showSql } from "./answer.js"
import { prepareDatabases } from "./databases.js"
import { announce, find, make, makeButton } from "./dom.js"
import { prepareFiles } from "./files.js"
import { prepareHistory } from "./history.js"
import { prepareSignIn } from "./signin.js"
import { suggestQuestions } from "./suggestions.js"

const choice = find("connection"), form = find("question-form"), box = find("question"), thread = find("thread")
const provider = find("provider")
let conversation = null
let isAsking = false

const listNames = () => [...choice.options].map(option => option.value)

function startConversation() {
  conversation = null
  thread.replaceChildren()
  find("new").hidden = true
  find("welcome").hidden = false
  box.placeholder = "Ask in plain language"
}

async function showSuggestions() {
  const connection = choice.value, place = find("suggestions")
  place.replaceChildren()
  if (!connection) return
  const questions = await suggestQuestions(connection)
  if (connection !== choice.value) return
  place.replaceChildren(...questions.map(question => makeButton(question, () => askQuestion(question), { class: "chip" })))
}

function append(article) {
  find("welcome").hidden = true
  find("new").hidden = false
  thread.append(article)
  article.scrollIntoView({ block: "start" })
}

async function askQuestion(prompt) {
  if (isAsking || !prompt.trim() || !choice.value) return
  isAsking = find("ask").disabled = true
  box.value = ""
  const more = { ...(conversation && { conversation_id: conversation }), ...(provider.value && { provider: provider.value }) }
  const { article, answered } = showQuestion({ connection_id: choice.value, prompt, ...more }, askQuestion)
  append(article)
  const answer = await answered
  isAsking = find("ask").disabled = false
  article.scrollIntoView({ block: "start" })
  if (!answer) {
    box.value ||= prompt
    return
  }
  conversation = answer.conversation_id
  if (conversation) box.placeholder = answer.provider === "offline" ? "Ask another question" : "Ask on, or ask something new"
}

/** Lists the connections and selects `wanted`, else the one that was selected. */
async function loadConnections(wanted = choice.value) {
  const { connections } = await request("GET", "/api/connections")
  choice.replaceChildren(...connections.map(({ name }) => make("option", { value: name }, name)))
  if (listNames().includes(wanted)) choice.value = wanted
  choice.disabled = !connections.length
  find("none").hidden = connections.length > 0
  await showSuggestions()
}

async function loadProviders() {
  const { configured, default: usual } = await request("GET", "/api/providers")
  provider.replaceChildren(...configured.map(name => make("option", { value: name }, name)))
  provider.value = usual
  find("provider-label").hidden = configured.length < 2
}

async function selectConnection(name) {
  startConversation()
  await loadConnections(name)
  announce(`Connected to ${name}.`)
  box.focus()
}

function askAgain(entry) {
  if (listNames().includes(entry.connection_id) && entry.connection_id !== choice.value) {
    choice.value = entry.connection_id
    startConversation()
    showSuggestions()
  }
  if (entry.question) askQuestion(entry.question)
  else append(showSql(entry.connection_id, entry.sql))
}

async function load(keepsConversation) {
  if (!keepsConversation) startConversation()
  find("failure").textContent = ""
  try {
    await Promise.all([loadConnections(), loadProviders()])
  } catch (problem) {
    choice.replaceChildren()
    find("suggestions").replaceChildren()
    find("failure").textContent = problem.message
  }
}

form.addEventListener("submit", event => {
  event.preventDefault()
  askQuestion(box.value)
})
box.addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
  event.preventDefault()
  form.requestSubmit()
})
choice.addEventListener("change", () => { startConversation(); showSuggestions() })
find("new").addEventListener("click", () => { startConversation(); box.focus() })
for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close())

prepareFiles(selectConnection, listNames)
prepareDatabases(selectConnection)
prepareHistory(askAgain)
prepareSignIn(await request("GET", "/page-config.json"), load)
await load(false)
document.body.dataset.ready = "true"
