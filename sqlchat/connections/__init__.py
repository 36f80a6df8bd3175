"""The user's databases: a package each, a registry of their classes, and the process-wide manager of live pools.

`registry.py` maps a provider's name (`postgres`) to its class; a new database is one package, one line there and one
test file. In a package `connection.py` has the class (see `base.py`), `catalog.py` reads what a database holds and
`profile.py` what its columns hold, by the rules of `profiling.py`. A driver (psycopg2, PyMySQL, sqlite3, duckdb,
gRPC) is imported only in the package of its database. `files/` makes a database of stored files, with the readers and
the types of `sqlchat.files`. What several share: `embedded.py` SQLite and DuckDB, `servers/` Postgres, MySQL and
Spark, `results.py`, `streams.py`, `encoding.py`, `faults.py` and `plan.py` all.

`open_connection.py` is the one way by which SQL reaches a database: it examines a text, then runs it under the policy
of the connection, whose catalog, profiles and samples it keeps. `manager.py` finds definitions in the store and opens
them. Imports from `files`, `store`, `sql`, `workers`, `config` and `errors`.
"""
