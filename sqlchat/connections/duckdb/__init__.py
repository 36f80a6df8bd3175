"""DuckDB files: `connection.py` is what the registry names; its tasks run in a worker, that `instance.py` locks.

`types.py` keeps every digit of an answer, `plan.py` reads its plan; `catalog.py` and `profile.py` read what the
database holds.
"""
