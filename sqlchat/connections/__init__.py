"""The user's databases: one file each, a registry of their classes, and the process-wide manager of live pools.

`registry.py` maps a provider's name (`postgres`) to its class; a new database is one file, one line there and one
test file. `<name>_catalog.py` reads what a database holds and `<name>_profile.py` what its columns hold, by the rules
of `profiling.py`. `gate.py` is the one way by which SQL reaches a database: guard, then `Connection.run`. A driver
(psycopg2, PyMySQL, sqlite3, duckdb) is imported only in the files of its database. `manager.py` finds definitions in
the store; `live.py` is a connection that was made of one, with its policy (`policed.py`) and what was read of its
database (`cached.py`, `samples.py`). `files.py` makes a database of stored files, with the readers and the types of
`sqlchat.files`. Imports from `files`, `store`, `sql`, `workers`,
`config` and `errors`.
"""
