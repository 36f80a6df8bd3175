/** Suggests questions for a connection: its verified examples, and questions derived from its catalog. */

import { request } from "./api.js"

const most = 5
const time = /^(date|datetime|timestamp)/i
const amount = /^(decimal|numeric|double|real|float)/i
const text = /^[^\[(]*(char|text|string|enum)(?!.*\[)/i // lists are no groups
const noGroup = /name|title|mail|phone|address|descr|comment|note|url|code|(^|_)id$/i
const noAmount = /(^|_)(id|key|code|zip|year|lat|lon|latitude|longitude)$/i
const words = name => name.replaceAll("_", " ").trim()
const isWord = name => /^[a-z][a-z_]*$/i.test(name)

/** Derives questions about `tables` (of GET /schema) by rule, the most useful first. */
export function deriveQuestions(tables) {
  const plain = tables.filter(table => isWord(table.name) && table.columns.length)
  const bySize = plain.toSorted((a, b) => (b.row_estimate ?? 0) - (a.row_estimate ?? 0))
  const size = new Map(plain.map(table => [table.name, table.row_estimate ?? Infinity]))
  const counted = bySize.slice(0, 1).map(table => `How many ${words(table.name)} are there?`)
  const timed = bySize.filter(table => table.columns.filter(column => time.test(column.type)).length === 1)
  const monthly = timed.map(table => `Number of ${words(table.name)} per month`)
  const linked = plain.flatMap(table => table.foreign_keys.map(key => ({ table, key })))
    .filter(({ key }) => key.columns.length === 1 && /_(id|code|key)$/i.test(key.columns[0]) && isWord(key.columns[0]))
    .toSorted((a, b) => size.get(a.key.ref_table) - size.get(b.key.ref_table))
    .map(({ table, key }) => `Number of ${words(table.name)} for each ${words(key.columns[0].replace(/_(id|code|key)$/i, ""))}`)
  const grouped = bySize.flatMap(table => {
    const used = new Set([...table.primary_key, ...table.foreign_keys.flatMap(key => key.columns)])
    const free = table.columns.filter(column => isWord(column.name) && !used.has(column.name))
    const group = free.find(column => text.test(column.type) && !noGroup.test(column.name))
    const sum = free.find(column => amount.test(column.type) && !noAmount.test(column.name))
    if (!group) return []
    return [sum ? `Total ${words(sum.name)} for each ${words(group.name)}` : `Number of ${words(table.name)} for each ${words(group.name)}`]
  })
  const newest = timed.slice(0, 1).map(table => `5 newest ${words(table.name)}`)
  return [...monthly.slice(0, 1), ...linked.slice(0, 1), ...grouped.slice(0, 2), ...counted, ...newest].slice(0, most)
}

/** Returns up to five questions for `connection`; none if its database cannot be read. */
export async function suggestQuestions(connection) {
  const path = `/api/connections/${encodeURIComponent(connection)}`
  const [examples, schema] = await Promise.allSettled([request("GET", `${path}/examples`), request("GET", `${path}/schema`)])
  const verified = examples.value?.examples.filter(example => !example.stale).map(example => example.question) ?? []
  return [...verified.slice(0, most), ...deriveQuestions(schema.value?.tables ?? [])].slice(0, most)
}
