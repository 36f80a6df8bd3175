"""From a question to a checked answer.

`pipeline.py` is the way of a `question.py`, straight down; `context.py` picks what of the catalog matters (by
`ranking`, `neighbours` and `literals`, over `words` and `thesaurus`); `prompt.py` and `rendering.py` word it for
language models, with the `dialect_notes`; `solving.py` holds the ways from there to SQL that works, each draft tried
by `trial.py` (`repair.py` words a fault for another try, `candidates.py` lets several vote, by `compare.py`);
`answer.py` is what comes of it, with its doubts (`doubts`, `references`) and its price (`prices`), and `audit.py`
keeps how it ended. What the owner told of the data is kept by `teaching.py`, and found again by `knowledge.py` (by
`terms` and `examples`). Imports from `providers`, `connections`, `store`, `sql`, `workers`, `config` and `errors`.
"""
