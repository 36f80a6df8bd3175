"""Reads the functions that a query calls, with DuckDB's own parser, in a locked DuckDB without any database."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import duckdb

SPOKEN = {
    "current_time": "get_current_time",
    "current_timestamp": "get_current_timestamp",
    "localtime": "current_localtime",
    "localtimestamp": "current_localtimestamp",
}
"""Functions that are called by another name, without brackets."""


def read_called_names(sql: str) -> frozenset[str] | None:
    """Lower-case names of all functions that a query calls, those behind operators too; None for what is no query.

    Names without brackets are among them, as `current_date` calls a function. `SELECT a || lower(b)` gives
    `||`, `lower`, `a` and `b`.
    """
    ((text,),) = _open_parser().execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    tree = orjson.loads(text)
    return None if tree.get("error") else frozenset(name.lower() for name in _find_names(tree))


@functools.cache
def _open_parser() -> duckdb.DuckDBPyConnection:
    import duckdb

    locks: dict[str, str | bool | int | float | list[str]] = {"enable_external_access": "false", "threads": "1"}
    locks |= {"memory_limit": "64MB", "lock_configuration": "true"}
    return duckdb.connect(":memory:", config=locks)


def _find_names(tree: Any) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if name := node.get("function_name"):
                yield name
            names: Any = node.get("column_names") or []
            if len(names) == 1 and isinstance(names[0], str):
                yield names[0]
                yield SPOKEN.get(names[0].lower(), "")
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
