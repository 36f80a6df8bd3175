"""Profiles and stores uploaded files. Killable worker processes read them.

From bytes to a table:

- `options` is the object `read` of a caller; `source` the bytes, unpacked.
- `formats` has one reader a format, one line each in its registry. Each gives blocks of Arrow arrays. Text tables
  pass `byte_scan`, `encodings` and `dialect` first; `header` and `footer` find the ends of tables and sheets.
- `readings` names the ways to read texts: the functions of `readers`, with `notations` for numbers, `dates` and
  `worded_dates`. Each gives `value_stats`.
- `columns` reads all blocks: `inspection` looks at a column's part of a block, `sketch` counts distinct values.
- `decisions` gives each column its type, `summaries` its entry in a profile (by pandas). `analysis` is all that
  together; `profile` shows and keeps it, and `typed` gives the rows in those types by `conversion`.
- `service` handles uploads from end to end; `storage` keeps the objects under the names that `names` makes safe.
- `memory` and `threads` serve the processes that read.

Imports from `workers`, `config` and `errors`.
"""
