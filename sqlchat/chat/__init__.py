"""From a question to a checked answer.

- `pipeline` leads a `question` straight down to its `answer`.
- `context` picks the part of the catalog that matters, by `ranking`, `join_graph` and `value_linking`; `words` and
  `thesaurus` split and match words. `knowledge` finds what the owner told of the data, by `terms` and `examples`, and
  adds it to the catalog; `knowledge_editor` and `semantic_editor` check and keep it, `feedback` what people say.
- `prompt` and `rendering` word the context for language models, with the `dialect_notes`.
- `strategies` are the ways from a prompt to SQL that works. `validation` checks and runs a draft, `repair` words its
  fault for another try, and `candidates` lets several drafts vote, by `compare`.
- `caveats` tells what is doubtful in an answer; `audit` records how it ended.

Imports from `providers`, `connections`, `store`, `sql`, `workers`, `config` and `errors`.
"""
