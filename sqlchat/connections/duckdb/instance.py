"""Keeps DuckDB instances in a worker process. Each may open one file, and opens it only for a statement.

Making an instance takes about twenty times as long as a small query, since it registers thousands of functions. So
empty instances are kept: each statement attaches the file, read-only, in a new session, and detaches it. Between
statements, others can write or replace the file. An instance is dropped after an error, and if a session leaves
anything behind.
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
"""Qualifies our functions, since a macro of the database may have the same name."""
NAMED = f"SELECT database_name FROM {SYSTEM}.duckdb_databases() WHERE NOT internal AND path IS NOT NULL"  # noqa: S608
OPEN = f"SELECT {SYSTEM}.count_star() FROM {SYSTEM}.duckdb_databases() WHERE NOT internal"  # noqa: S608
LEFT = f"SELECT ({OPEN}), (SELECT {SYSTEM}.count_star() FROM {SYSTEM}.duckdb_secrets())"  # noqa: S608
"""Counts what may outlive a session in its instance, apart from settings, which are locked."""


@contextmanager
def open_session(target: Target) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session on the target's database, and on no other. Raises duckdb.Error if it cannot be opened."""
    if target.path == IN_MEMORY:
        with closing(_make_instance(target.memory_mb)) as fresh:
            _lock(fresh)
            yield fresh
        return
    instance = _find_instance(target.path, target.memory_mb)
    is_reusable = False
    try:
        with _attach_database(instance, target.path) as session:
            yield session
            is_reusable = session.execute(LEFT).fetchall() == [(1, 0)]
    finally:
        if not is_reusable:
            instance.close()
            _find_instance.cache_clear()


@functools.lru_cache(maxsize=KEPT)
def _find_instance(path: str, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """Make an instance that may open the database at `path`, or return the one that is kept."""
    instance = _make_instance(memory_mb)
    # an instance begins with an empty database, whose name a file may have: replace it, then drop the replacement
    beginning = quoted(uuid.uuid4().hex)
    for step in (f"ATTACH '{IN_MEMORY}' AS {beginning}", f"USE {beginning}", "DETACH memory"):
        instance.execute(step)
    instance.execute(f"SET allowed_paths=[{', '.join(_write_literal(path + end) for end in BESIDE)}]")
    _lock(instance)
    with _attach_database(instance, path) as session:
        session.execute(f"DETACH {beginning}")
    return instance


@contextmanager
def _attach_database(instance: duckdb.DuckDBPyConnection, path: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session with the database at `path` attached, and detach it at the end."""
    with closing(instance.cursor()) as session:
        session.execute(f"ATTACH {_write_literal(path)} (READ_ONLY)")
        ((name,),) = session.execute(NAMED).fetchall()
        session.execute(f"USE {quoted(name)}")
        yield session
    instance.execute(f"DETACH {quoted(name)}")


def _make_instance(memory_mb: int) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(IN_MEMORY, config={**CONFIG, "memory_limit": f"{int(memory_mb * MEMORY_SHARE)}MiB"})


def _lock(instance: duckdb.DuckDBPyConnection) -> None:
    for lock in LAST_LOCKS:
        instance.execute(lock)


def _write_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
