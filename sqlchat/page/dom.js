/** Makes elements. Texts become text nodes, so data never becomes markup. */

export const find = id => document.getElementById(id)

/** An element: attributes by name, `on...` functions as listeners, then children: elements, texts, or null to skip. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, "")
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value)
  }
  element.append(...children.filter(child => child !== null && child !== undefined && child !== false))
  return element
}

export const makeButton = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text)

/** A list of texts under a heading; null if there are none. */
export function makeList(heading, texts, kind = "") {
  if (!texts.length) return null
  return make("section", { class: `notes ${kind}` }, make("h3", {}, heading),
    make("ul", {}, ...texts.map(text => make("li", {}, text))))
}

export const makeFold = (summary, ...children) => make("details", {}, make("summary", {}, summary), ...children)

const svgNames = "http://www.w3.org/2000/svg"

export function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS(svgNames, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** Tells screen readers. */
export function announce(text) { find("announcements").textContent = text }

export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`

const units = ["bytes", "KB", "MB", "GB"]

export function size(bytes) {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  return `${Number((bytes / 1024 ** unit).toFixed(1))} ${units[unit]}`
}
