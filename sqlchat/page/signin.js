/** Signs in with an email and a password of the Supabase project, or with a token; both stay in memory. */

import { useToken } from "./api.js"
import { find } from "./dom.js"

/** Returns a token of Supabase Auth. Throws Error with the reason. */
async function signIn(config, email, password) {
  const path = `${config.supabase_url}/auth/v1/token?grant_type=password`
  const headers = { apikey: config.supabase_anon_key, "Content-Type": "application/json" }
  let response
  try {
    response = await fetch(path, { method: "POST", headers, body: JSON.stringify({ email, password }) })
  } catch {
    throw new Error("Supabase cannot be reached.")
  }
  const body = await response.json().catch(() => ({}))
  if (!response.ok || !body.access_token) throw new Error(body.msg ?? body.error_description ?? body.message ?? `Supabase answered ${response.status}.`)
  return body.access_token
}

/** Reads the user's id from a token; null if that fails. */
function readPerson(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub ?? null
  } catch {
    return null
  }
}

/** Wires the dialog. `onChange(isSame)` is called after signing in and out; `isSame` if the same person is back. */
export function prepareSignIn(config, onChange) {
  const dialog = find("signin"), form = find("signin-form"), failure = find("signin-error"), toggle = find("open-signin")
  const hasPassword = Boolean(config.supabase_url && config.supabase_anon_key)
  let isSignedIn = false, person = null

  function change(token) {
    useToken(token)
    isSignedIn = Boolean(token)
    toggle.textContent = isSignedIn ? "Sign out" : "Sign in"
    failure.textContent = ""
    form.reset()
  }

  function open(reason = "") {
    if (reason || isSignedIn) change("")
    failure.textContent = reason
    if (!dialog.open) dialog.showModal()
  }

  form.addEventListener("submit", async event => {
    event.preventDefault()
    const { email, password, token } = Object.fromEntries(new FormData(form))
    try {
      if (!token.trim() && !(email && password)) throw new Error(hasPassword ? "Give email and password, or a token." : "Give a token.")
      const newToken = token.trim() || await signIn(config, email, password)
      const before = person
      person = readPerson(newToken)
      change(newToken)
      dialog.close()
      onChange(person !== null && person === before)
    } catch (error) {
      failure.textContent = error.message
    }
  })
  find("signin-password").hidden = !hasPassword
  toggle.hidden = config.auth === "off"
  toggle.addEventListener("click", () => {
    if (!isSignedIn) return open()
    person = null
    change("")
    onChange(false)
  })
  document.addEventListener("signin", event => config.auth === "off" || open(event.detail))
}
