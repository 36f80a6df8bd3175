"""Sends MySQL's rows as a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sqlchat.connections.mysql.session import Session
from sqlchat.connections.mysql.types import BINARY, UNSIGNED, Field, Raw, encode_cells
from sqlchat.connections.streams import FLUSH, Header, write_row

FETCHED_AT_ONCE = 1000
JSON = 245
BLOBS = frozenset({249, 250, 251, 252, 253, 254, 255})
SIMPLE = {
    1: ("int8", "uint8"), 2: ("int16", "uint16"), 3: ("int32", "uint32"), 8: ("int64", "uint64"),
    9: ("int32", "uint32"), 13: ("int16", "uint16"), 16: ("uint64", "uint64"), 4: ("float32", "float32"),
    5: ("float64", "float64"), 10: ("date32", "date32"), 12: ("timestamp[us]", "timestamp[us]"),
}  # fmt: skip
"""Arrow's signed and unsigned type by a type's number; other types are text."""


def make_header(fields: Sequence[Field], has_zone: bool) -> Header:
    return Header(
        columns=tuple(field.name for field in fields),
        types=tuple(field.type for field in fields),
        arrow=tuple(_find_arrow_type(field, has_zone) for field in fields),
        is_document=tuple(field.code == JSON for field in fields),
    )


def _find_arrow_type(field: Field, has_zone: bool) -> str:
    is_unsigned = bool(field.flags & UNSIGNED)
    if field.code in {0, 246}:
        digits = field.length - (field.scale > 0) - (not is_unsigned)  # without the point and the sign
        return f"decimal({digits}, {field.scale})"
    if field.code in BLOBS and field.charset == BINARY:
        return "binary"
    if field.code in SIMPLE:
        return SIMPLE[field.code][is_unsigned]
    return "timestamp[us, UTC]" if field.code == 7 and has_zone else "string"


def send(session: Session, fields: Sequence[Field], count: int, put: Callable[[bytes], None]) -> None:
    """Put up to `count` rows of the last statement as JSON."""
    decoders = session.list_decoders(fields)
    session.unread = True
    left = count
    while left > 0:
        rows: list[tuple[Raw | None, ...]] = []
        due = time.monotonic() + FLUSH
        while len(rows) < min(FETCHED_AT_ONCE, left) and time.monotonic() < due:
            if (row := session.cursor.fetchone()) is None:
                session.unread = False
                left = 0
                break
            rows.append(row)
        left -= len(rows)
        if rows:
            put(b"".join(write_row(encode_cells(row, decoders)) for row in rows))
    session.unread = session.unread and session.cursor.fetchone() is not None
