"""DuckDB files. `connection.py` is the class; its sessions run in a worker process, and `instance.py` locks them.

`types.py` keeps every digit of an answer, `plan.py` reads a plan; `catalog.py`, with `macros.py`, and
`profile.py` read what the database holds.
"""
