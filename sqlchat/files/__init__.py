"""Uploaded files: what is in them, and where they are kept. Reading happens in killable worker processes.

From bytes to a table, each rule in one place:

- `options`: what a caller says of a file, the object `read`. `source`: its bytes, gzipped or not.
- `formats/`: one reader a format, one line each in its registry; each gives blocks of Arrow arrays.
- Of text tables: `overview` passes over all bytes, `encodings` tells their encoding, `sniff` delimiter and quoting,
  `shape` the header, notes and totals (of workbooks too), `doubts` what else they may be.
- `types` lists the ways to read texts, which `readers` has, with `notations` for numbers and `moments` for days;
  `fits` is what one of them found.
- `inspection` looks at a column's part of a block, `columns` merges that (`sketch` counts distinct values),
  `survey` does so for a whole file, `decisions` makes a type of it, `summaries` an entry of a profile.
- `findings`: the decisions of a file, which `profile` shows and keeps; `typed` gives the rows in those types by
  `conversion`, for connections to files.
- `service`: uploads from end to end; `storage/` keeps the objects; `names` makes their names safe.
- `allocator`, `bounded`, `threads`: memory and threads of the processes that read.

Imports from `workers`, `config` and `errors`.
"""
