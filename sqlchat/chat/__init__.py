"""From a question to a checked answer.

- `pipeline` leads a `question` straight down to its `answer`.
- `context` picks the part of the catalog that matters, by `ranking`, `join_graph` and `value_linking`. `knowledge`
  finds the owner's notes, by `terms` and `examples`, and adds them to the catalog; `knowledge_editor`,
  `semantic_editor` and `feedback` check and keep them.
- `prompt` and `rendering` word the context for language models, with the `dialect_notes`.
- `strategies` are the ways from a prompt to SQL that works. `validation` checks and runs a draft, `repair` words its
  fault for another try, and `candidates` lets several drafts vote, by `compare`.
- `caveats` tells what is doubtful in an answer; `audit` records how it ended.

Imports from `providers`, `connections`, `store`, `sql`, `workers`, `config` and `errors`.
"""
