"""The built-in engine: a deterministic semantic parser from questions in English to SQL. No model, no network.

The way of a question, one module a step: `names` indexes the catalog as phrases and `linker` finds tables, columns
and values (`links`) in the words; `grammar` reads them into a `query` (with `subject`, `outputs`, `aggregates`,
`phrases`, `relations`, `conditions` and their parts) over the state in `reader`, which stands on `meanings` (which
name is meant) and `cursor` (what comes next); `finish` completes the query. `computed`, `durations`,
`row_conditions` and `states` read what two columns of a row give: days between two dates, a margin, `late`,
`overdue`. `joins` knows the ways between tables; `build` writes sqlglot expressions (with `scope`, `restrict` and
`empty`) and `explain` the sentence beside them. `search` tries simpler words for a question that is not read
(`wording` of what was typed in passing, `rephrasing` by `rules`, `verbs` that name a table, `nouns` for money and
people). Where none is read, the `composer` chooses what the words stand for out of all the `evidence` (names and
their parts, units, roots, synonyms; `markers` and `phrase_evidence` for phrases, `row_nouns` and `standins` for words
that name nothing, `roles` for references of a table to itself), with `slips` of the pen put right. `assembly` puts
that together, a part a module: `figures` and `timespans` over `claims`, `rankings`, `filters`, `ages`, `placing`,
`wholes`, `comparisons`, `hierarchies`. It answers if the best reading is good enough and clearly the best by
`scoring`. `conversions` turns figures into the unit that is asked for. `search` also finds questions that work for
one that is refused, by `suggestions` and `alternatives`; `engine` is the provider. What is not understood ends in a
QuestionError: numbers, negations, periods and comparisons are never dropped.
Only `engine` is for callers outside.
"""
