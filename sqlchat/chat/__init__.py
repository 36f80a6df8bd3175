"""From a question to a checked answer.

`pipeline.py` is the way of a question, straight down; `context.py` picks what of the catalog matters
(by `ranking`, `neighbours` and `literals`); `prompt.py`
renders it for language models; `repair.py` words a fault for another try. Imports from `providers`, `connections`,
`sql`, `config` and `errors`.
"""
