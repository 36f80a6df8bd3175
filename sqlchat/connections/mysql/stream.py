"""MySQL's rows as a stream. For `connection.py` alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from sqlchat.connections.mysql.session import Session
from sqlchat.connections.mysql.types import NAMES
from sqlchat.connections.streams import FLUSH, Header, batch_of, without_null

FETCHED_AT_ONCE = 1000
SMALL_DECIMAL, LARGEST_DECIMAL = 38, 76
"""Digits that 128 and 256 bits hold."""
UNSIGNED = 32
"""A flag of the protocol."""
BINARY = 63
"""The protocol's character set of what is no text."""
BLOBS = frozenset({249, 250, 251, 252, 253, 254, 255})
SIMPLE = {
    1: (pa.int8(), pa.uint8()),
    2: (pa.int16(), pa.uint16()),
    3: (pa.int32(), pa.uint32()),
    8: (pa.int64(), pa.uint64()),
    9: (pa.int32(), pa.uint32()),
    13: (pa.int16(), pa.uint16()),
    16: (pa.uint64(), pa.uint64()),
    4: (pa.float32(), pa.float32()),
    5: (pa.float64(), pa.float64()),
    10: (pa.date32(), pa.date32()),
    12: (pa.timestamp("us"), pa.timestamp("us")),
}
"""By a type's number: signed and unsigned; all others are text."""


def header_of(fields: Sequence[Any], description: Sequence[Sequence[Any]], has_zone: bool) -> Header:
    codes = [int(column[1]) for column in description]
    return Header(
        columns=tuple(str(column[0]) for column in description),
        types=tuple(NAMES.get(code, "") for code in codes),
        arrow=tuple(_arrow_type(field, has_zone) for field in fields),
        is_json=(True,) * len(codes),
    )


def _arrow_type(field: Any, has_zone: bool) -> pa.DataType:
    code = int(field.type_code)
    if code in (0, 246):
        digits = field.length - (field.scale > 0) - (not field.flags & UNSIGNED)  # without the point and the sign
        return pa.decimal128(digits, field.scale) if digits <= SMALL_DECIMAL else pa.decimal256(digits, field.scale)
    if code in BLOBS and field.charsetnr == BINARY:
        return pa.binary()
    if code in SIMPLE:
        return SIMPLE[code][bool(field.flags & UNSIGNED)]
    return pa.timestamp("us", "UTC") if code == 7 and has_zone else pa.string()


def send(session: Session, header: Header, count: int, put: Callable[[pa.RecordBatch], None]) -> None:
    """Put up to `count` rows of the last statement as batches of JSON."""
    decoders = session.decoders([int(column[1]) for column in session.cursor.description or ()])
    session.unread = True
    left = count
    while left > 0:
        rows, due = [], time.monotonic() + FLUSH
        while len(rows) < min(FETCHED_AT_ONCE, left) and time.monotonic() < due:
            if (row := session.cursor.fetchone()) is None:
                session.unread = False
                left = 0
                break
            rows.append(row)
        left -= len(rows)
        if rows:
            columns = zip(zip(*rows, strict=True), decoders, strict=True)
            put(
                batch_of(
                    [None if value is None else without_null(decode(value)) for value in values]
                    for values, decode in columns
                )
            )
    session.unread = session.unread and session.cursor.fetchone() is not None
