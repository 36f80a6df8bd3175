"""Killable processes: what may never end, or eat the machine, runs here.

Parsing a stranger's SQL, SQLite, DuckDB and reading uploads can each spin past every switch of their own library.
So each call has a deadline after which its process is killed, and an address-space limit. A killed process costs
its own call an error and nobody else anything: the pool starts another.

`workers.py` is the pool that callers see, `turns.py` decides whose call is next, `process.py` holds one process,
`child.py` is what runs in it, and `wire.py` is how the two talk. Imports only `errors` and `telemetry`.
"""

from sqlchat.workers.turns import Turns
from sqlchat.workers.workers import Workers

__all__ = ["Turns", "Workers"]
