/** Sends requests, questions and uploads to the service, and reads its answers. */

let token = ""

/** Sets the token of all later requests. It is kept in this variable alone. */
export function useToken(newToken) { token = newToken }

/** A problem that the service answered (RFC 9457); `body` has its members. */
export class Problem extends Error {
  constructor(body) {
    super(body.detail || body.title || "The service gave no reason.")
    this.body = body
  }
}

const unreachable = () => new Problem({ detail: "The service cannot be reached.", code: "unreachable" })
const brokenOff = () => new Problem({ detail: "The answer broke off before its end.", code: "unreachable" })

/** A number with more digits than JavaScript can hold; `digits` has all of them. */
export class Digits extends Number {
  constructor(digits) {
    super(digits)
    this.digits = digits
  }
  toString() { return this.digits }
}

export const isNumber = value => typeof value === "number" || value instanceof Digits

/** Parses JSON. Numbers keep every digit, in browsers that show a number's source. */
export function parse(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === "number" && context?.source && context.source !== String(value) ? new Digits(context.source) : value)
}

function headers(more = {}) {
  return token ? { Authorization: `Bearer ${token}`, ...more } : more
}

async function send(method, path, body, more = {}, signal = undefined) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const type = body === undefined ? {} : { "Content-Type": "application/json" }
  try {
    return await fetch(path, { method, signal, headers: headers({ ...type, ...more }), ...sent })
  } catch (error) {
    throw error.name === "AbortError" ? error : unreachable()
  }
}

/** Parses an answer. Throws Problem for a status of failure; 401 for the current token also opens the sign-in. */
function read(status, text, sentToken) {
  let body = {}
  try {
    body = parse(text)
  } catch {
    if (status < 400) throw brokenOff()
  }
  if (status === 401 && sentToken === token) document.dispatchEvent(new CustomEvent("signin", { detail: token && body.detail }))
  if (status >= 400 || status === 0) throw new Problem({ status, title: `The service answered ${status}.`, ...body })
  return body
}

export async function request(method, path, body) {
  const sent = token
  const response = await send(method, path, body)
  return read(response.status, await response.text(), sent)
}

/** Runs `sql` and returns all its rows as a file of a media type: `name` and `blob`. Throws Problem. */
export async function requestFile(connection, sql, type) {
  const sent = token
  const response = await send("POST", "/api/execute", { connection_id: connection, sql }, { Accept: type })
  if (!response.ok) return read(response.status, await response.text(), sent)
  const [, name] = response.headers.get("Content-Disposition")?.match(/filename="?([^";]+)/) ?? []
  return { name: name ?? "rows", blob: await response.blob().catch(() => { throw brokenOff() }) }
}

/** Asks a question and returns its answer. Calls `onStage(name, data)` for each stage. Throws Problem. */
export async function ask(question, onStage, signal) {
  const sent = token
  const response = await send("POST", "/api/chat", question, { Accept: "text/event-stream" }, signal)
  if (!response.ok) return read(response.status, await response.text(), sent)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let waiting = ""; ;) {
    const { value, done } = await reader.read().catch(error => { throw error.name === "AbortError" ? error : brokenOff() })
    if (done) throw brokenOff()
    const events = (waiting + value).split("\n\n")
    waiting = events.pop()
    for (const event of events) {
      const [, name, data] = event.match(/^event: (\w+)\ndata: (.*)$/s) ?? []
      if (name === "answer") return parse(data)
      if (name === "error") throw new Problem(parse(data))
      if (name) onStage(name, parse(data))
    }
  }
}

/** Uploads a file. Calls `onProgress` with the share that is sent, from 0 to 1. Throws Problem. */
export function upload(file, mayReplace, onProgress) {
  const form = new FormData(), sent = token
  form.append("file", file)
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest() // fetch does not tell how much is sent
    sending.open("POST", `/api/files/upload${mayReplace ? "?upsert=true" : ""}`)
    for (const [name, value] of Object.entries(headers())) sending.setRequestHeader(name, value)
    sending.upload.onprogress = event => event.lengthComputable && onProgress(event.loaded / event.total)
    sending.onerror = () => reject(unreachable())
    sending.onload = () => {
      try {
        resolve(read(sending.status, sending.responseText, sent))
      } catch (problem) {
        reject(problem)
      }
    }
    sending.send(form)
  })
}
