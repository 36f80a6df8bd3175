"""From a question to a checked answer.

`pipeline.py` is the way of a question, straight down; `context.py` picks what of the catalog matters
(by `ranking`, `neighbours` and `literals`); `prompt.py` renders it for language models; `solving.py` holds the ways
from there to SQL that works, each draft tried by `trial.py` (`repair.py` words a fault for another try,
`candidates.py` lets several vote); `answer.py` is what comes of it, with its doubts (`doubts`, `references`) and its
price (`prices`). What the owner told of the data is kept by `teaching.py`, and found again by `knowledge.py` (by
`terms` and `examples`). Imports from `providers`, `connections`, `store`, `sql`, `workers`, `config` and `errors`.
"""
