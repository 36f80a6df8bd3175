"""The built-in engine: a deterministic semantic parser from questions in English to SQL. No model, no network.

The way of a question, one module a step: `names` indexes the catalog as phrases and `linker` finds tables, columns
and values (`links`) in the words; `grammar` reads them into a `query` (with `subject`, `outputs`, `aggregates`,
`phrases`, `relations`, `conditions` and their parts) over the state in `reader`, which stands on `meanings` (which
name is meant) and `cursor` (what comes next); `finish` completes the query. `computed`, `durations`,
`row_conditions` and `states` read what two columns of a row give: days between two dates, a margin, `late`,
`overdue`. `joins` knows the ways between tables; `build` writes sqlglot expressions (with `scope`, `restrict` and
`empty`) and `explain` the sentence beside them. `search` tries simpler words for a question that is not read
(`wording` of what was typed in passing, `rephrasing` by `rules`, `verbs` that name a table, `nouns` for money and
people), and finds questions that work for one that is refused; `engine` is the provider. What is not understood, word
for word, ends in a QuestionError: it never guesses.
Only `engine` is for callers outside.
"""
