"""Keeps DuckDB instances in a worker process. Each is locked for one file, but holds it open only for a statement.

Making an instance registers thousands of functions, which takes about twenty times as long as a small query. So an
instance is kept empty: each statement attaches the file, read-only, in a session of its own, and detaches it. Between
statements others can write or replace the file. An instance can open only its own file. It is dropped after an error,
and if a session leaves anything behind.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sqlchat.connections.embedded import IN_MEMORY, Target, quoted

if TYPE_CHECKING:
    import duckdb

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "2",
    "errors_as_json": "true",
}
LAST_LOCKS = ("SET enable_external_access=false", "SET GLOBAL TimeZone='UTC'", "SET lock_configuration=true")
BESIDE = ("", ".wal", ".wal.checkpoint", ".wal.recovery")
"""Suffixes of the files of one database."""
MEMORY_SHARE = 0.5
"""Share of the worker process's memory, so that DuckDB refuses a query before the process has to end."""
KEPT = 2
"""Instances in a process. A second one takes 5 MiB, and 350 MiB of the address space."""
SYSTEM = "system.main"
"""Qualifies each function that we call: a bare name may mean a macro of the database."""
NAMED = f"SELECT database_name FROM {SYSTEM}.duckdb_databases() WHERE NOT internal AND path IS NOT NULL"  # noqa: S608
OPEN = f"SELECT {SYSTEM}.count_star() FROM {SYSTEM}.duckdb_databases() WHERE NOT internal"  # noqa: S608
LEFT = f"SELECT ({OPEN}), (SELECT {SYSTEM}.count_star() FROM {SYSTEM}.duckdb_secrets())"  # noqa: S608
"""Counts what may outlive a session in its instance, apart from settings, which are locked."""


@contextmanager
def open_session(target: Target) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session on the target's database, and on no other. Raises what DuckDB raises when it cannot be opened."""
    if target.path == IN_MEMORY:
        with closing(_make_instance(target.memory_mb)) as fresh:
            _lock(fresh)
            yield fresh
        return
    kept = _find_instance(target.path, target.memory_mb)
    reusable = False
    try:
        with _attach_database(kept, target.path) as own:
            yield own
            reusable = own.execute(LEFT).fetchall() == [(1, 0)]
    finally:
        if not reusable:
            kept.close()
            _find_instance.cache_clear()


@functools.lru_cache(maxsize=KEPT)
def _find_instance(path: str, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """An instance that may open the database at `path`."""
    instance = _make_instance(memory_mb)
    # the empty database that an instance cannot begin without goes, in two steps, since a file may have its name
    beginning = quoted(uuid.uuid4().hex)
    for step in (f"ATTACH '{IN_MEMORY}' AS {beginning}", f"USE {beginning}", "DETACH memory"):
        instance.execute(step)
    instance.execute(f"SET allowed_paths=[{', '.join(_write_literal(path + end) for end in BESIDE)}]")
    _lock(instance)
    with _attach_database(instance, path) as own:
        own.execute(f"DETACH {beginning}")
    return instance


@contextmanager
def _attach_database(instance: duckdb.DuckDBPyConnection, path: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session of its own on the database at `path`, which the instance has open until the end."""
    with closing(instance.cursor()) as own:
        own.execute(f"ATTACH {_write_literal(path)} (READ_ONLY)")
        ((name,),) = own.execute(NAMED).fetchall()
        own.execute(f"USE {quoted(name)}")
        yield own
    instance.execute(f"DETACH {quoted(name)}")


def _make_instance(memory_mb: int) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(IN_MEMORY, config={**CONFIG, "memory_limit": f"{int(memory_mb * MEMORY_SHARE)}MiB"})


def _lock(instance: duckdb.DuckDBPyConnection) -> None:
    for lock in LAST_LOCKS:
        instance.execute(lock)


def _write_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
