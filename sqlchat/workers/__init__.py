"""Runs calls in worker processes, each with a memory limit, and kills a process past its call's deadline.

Parsing a stranger's SQL, SQLite, DuckDB and reading uploads can each run past every limit of their own library. The
pool replaces a killed process, and only its own call fails.

`workers.py` is the pool, `turns.py` decides whose call is next, `process.py` starts and calls one process, `child.py`
is that process, `wire.py` sends messages between the two. Imports only `errors` and `telemetry`.
"""

from sqlchat.workers.turns import Turns
from sqlchat.workers.workers import Workers

__all__ = ["Turns", "Workers"]
