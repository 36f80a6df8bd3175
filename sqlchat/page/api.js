/** Speaks to the service: requests, the events of a question, uploads with their progress. */

let token = ""

/** The token of all requests from now on. It lives in this variable alone. */
export function useToken(given) { token = given }

/** A failure as the service tells it (RFC 9457); `body` has its members. */
export class Problem extends Error {
  constructor(body) {
    super(body.detail || body.title || "The service gave no reason.")
    this.body = body
  }
}

const unreachable = () => new Problem({ detail: "The service cannot be reached.", code: "unreachable" })
const brokenOff = () => new Problem({ detail: "The answer broke off before its end.", code: "unreachable" })

/** A number that JavaScript cannot hold to its last digit, with the digits that were sent. */
export class Digits extends Number {
  constructor(digits) {
    super(digits)
    this.digits = digits
  }
  toString() { return this.digits }
}

export const isNumber = value => typeof value === "number" || value instanceof Digits

/** JSON whose numbers keep every digit, in browsers that show a number's source. */
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

/** What `text` holds. Throws Problem if the status says so; 401 of the present token, `sent`, asks to sign in. */
function read(status, text, sent) {
  let body = {}
  try {
    body = parse(text)
  } catch {
    if (status < 400) throw brokenOff()
  }
  if (status === 401 && sent === token) document.dispatchEvent(new CustomEvent("signin", { detail: token && body.detail }))
  if (status >= 400 || status === 0) throw new Problem({ status, title: `The service answered ${status}.`, ...body })
  return body
}

export async function request(method, path, body) {
  const sent = token
  const response = await send(method, path, body)
  return read(response.status, await response.text(), sent)
}

/** All rows of `sql` as a file of a media type: its name and its bytes. Throws Problem. */
export async function requestFile(connection, sql, type) {
  const sent = token
  const response = await send("POST", "/api/execute", { connection_id: connection, sql }, { Accept: type })
  if (!response.ok) return read(response.status, await response.text(), sent)
  const [, name] = response.headers.get("Content-Disposition")?.match(/filename="?([^";]+)/) ?? []
  return { name: name ?? "rows", blob: await response.blob().catch(() => { throw brokenOff() }) }
}

/** Asks a question: `onStage(name, data)` hears each stage, the answer is returned. Throws Problem. */
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

/** Uploads a file; `onProgress` hears the share that is sent, from 0 to 1. Throws Problem. */
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
