"""Sends MySQL's rows as a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pyarrow as pa

from sqlchat.connections.mysql.session import Session
from sqlchat.connections.mysql.types import BINARY, UNSIGNED, Field, Raw
from sqlchat.connections.streams import FLUSH, Header, batch_of, without_null

FETCHED_AT_ONCE = 1000
SMALL_DECIMAL = 38
"""Digits that 128 bits hold."""
BLOBS = frozenset({249, 250, 251, 252, 253, 254, 255})
SIMPLE = {
    1: (pa.int8(), pa.uint8()), 2: (pa.int16(), pa.uint16()), 3: (pa.int32(), pa.uint32()),
    8: (pa.int64(), pa.uint64()), 9: (pa.int32(), pa.uint32()), 13: (pa.int16(), pa.uint16()),
    16: (pa.uint64(), pa.uint64()), 4: (pa.float32(), pa.float32()), 5: (pa.float64(), pa.float64()),
    10: (pa.date32(), pa.date32()), 12: (pa.timestamp("us"), pa.timestamp("us")),
}  # fmt: skip
"""Arrow's signed and unsigned type by a type's number; other types are text."""


def make_header(fields: Sequence[Field], has_zone: bool) -> Header:
    return Header(
        columns=tuple(field.name for field in fields),
        types=tuple(field.type for field in fields),
        arrow=tuple(_find_arrow_type(field, has_zone) for field in fields),
        is_json=(True,) * len(fields),
    )


def _find_arrow_type(field: Field, has_zone: bool) -> pa.DataType:
    is_unsigned = bool(field.flags & UNSIGNED)
    if field.code in {0, 246}:
        digits = field.length - (field.scale > 0) - (not is_unsigned)  # without the point and the sign
        return pa.decimal128(digits, field.scale) if digits <= SMALL_DECIMAL else pa.decimal256(digits, field.scale)
    if field.code in BLOBS and field.charset == BINARY:
        return pa.binary()
    if field.code in SIMPLE:
        return SIMPLE[field.code][is_unsigned]
    return pa.timestamp("us", "UTC") if field.code == 7 and has_zone else pa.string()


def send(session: Session, fields: Sequence[Field], count: int, put: Callable[[pa.RecordBatch], None]) -> None:
    """Put up to `count` rows of the last statement as batches of JSON."""
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
            columns = zip(zip(*rows, strict=True), decoders, strict=True)
            put(
                batch_of(
                    [None if value is None else without_null(decode(value)) for value in values]
                    for values, decode in columns
                )
            )
    session.unread = session.unread and session.cursor.fetchone() is not None
