"""Sends SQLite's rows as a stream. A column has no type, so its first rows decide."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlchat.connections.encoding import encode_lines
from sqlchat.connections.streams import Header
from sqlchat.connections.worker_streams import Sender

FETCHED_AT_ONCE = 2000
TYPES = {"INTEGER": "int64", "REAL": "float64", "NUMERIC": "float64", "BLOB": "binary"}
"""Type of a column by the storage class of its first rows; all others are text."""


def send(cursor: sqlite3.Cursor, max_rows: int, sender: Sender, type_of: Callable[[set[type]], str]) -> None:
    """Send up to `max_rows` rows of the cursor; `type_of` names the storage class of a column's Python types."""
    rows = cursor.fetchmany(min(FETCHED_AT_ONCE, max_rows))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(cursor.description)
    types = tuple(type_of(set(map(type, column))) for column in columns)
    sender.begin(
        Header(
            columns=tuple(str(column[0]) for column in cursor.description),
            types=types,
            arrow=tuple(TYPES.get(name, "string") for name in types),
            is_document=(False,) * len(types),
        )
    )
    while rows:
        sender.put(encode_lines(rows))
        max_rows -= len(rows)
        rows = cursor.fetchmany(min(FETCHED_AT_ONCE, max_rows)) if max_rows else []
    sender.end()
