"""Turns COPY's CSV into JSON: with the right options, a line is the inside of a JSON array.

The options write NULL as `null`, put quotes around each column that is no number, and a backslash before a quote or a
backslash. Only control characters, which are rare, must be escaped here. The query writes booleans and times as JSON
does. So Python has no work for each cell, and the result is byte for byte that of the decoders in `types.py`. If a
column has another type, the decoders are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlchat.connections.postgres.types import (
    BY_OID,
    PgType,
    encode_copied_cells,
    encode_fetched_cells,
    find_decoder,
    make_header,
)
from sqlchat.connections.results import Header, write_row

OPTIONS = r"FORMAT csv, NULL 'null', ESCAPE E'\\'"
INTEGERS = frozenset({20, 21, 23, 26})
TIME = (
    "CASE WHEN {0} OPERATOR(pg_catalog.<) '0002-01-01 00:00+00'::pg_catalog.{1} "
    "AND pg_catalog.right({0}::pg_catalog.text, 2) OPERATOR(pg_catalog.=) 'BC' THEN {0}::pg_catalog.text ELSE {2} END"
)
LOCAL_TIME = "pg_catalog.replace({0}::pg_catalog.text, ' ', 'T')"
TIME_WITH_OFFSET = "pg_catalog.btrim(pg_catalog.to_json({0})::pg_catalog.text, '\"')"
"""Slower; but an offset has minutes in JSON, where Postgres leaves them out if they are none."""
ASKED_FOR = {
    16: "{0}::pg_catalog.text",
    1114: TIME.replace("{1}", "timestamp").replace("{2}", LOCAL_TIME),
    1184: TIME.replace("{1}", "timestamptz").replace("{2}", TIME_WITH_OFFSET),
}
"""By a type's OID, SQL that writes a value as JSON does, apart from quotes."""
NUMBERS = INTEGERS | {700, 701, 1700}
UNQUOTED = NUMBERS | {16}
AS_WRITTEN = NUMBERS | {1082}
"""Types that Postgres writes as JSON does, dates in quotes. `NaN` and `Infinity` get their quotes here."""
NO_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)', re.DOTALL)
"""A text, which stays unchanged, or a number that JSON lacks."""
CONTROL = re.compile(rb"[\x00-\x1f]")
OTHER_CONTROLS = bytes(code for code in range(32) if code != ord("\n"))
ESCAPES = {bytes([code]): b"\\u%04x" % code for code in range(32)}
ESCAPES |= {b"\b": rb"\b", b"\t": rb"\t", b"\n": rb"\n", b"\f": rb"\f", b"\r": rb"\r"}


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """The expressions and quotes of columns that make a line of CSV the inside of a JSON array."""

    expressions: tuple[str, ...]
    """SQL for each column, with `{0}` for its name."""
    quoted: tuple[int, ...]
    """Indexes of the columns whose values stand in quotes."""

    @classmethod
    def choose(cls, oids: Sequence[int], types: Mapping[int, PgType]) -> CsvColumns | None:
        """Choose them by types; None if a type needs a decoder. `types` includes the parts of the types."""
        bases = [_find_base_type(oid, types) for oid in oids]
        if any(base is None for base in bases):
            return None
        return cls(
            tuple(ASKED_FOR.get(base or 0, "{0}") for base in bases),
            tuple(index for index, base in enumerate(bases) if base not in UNQUOTED),
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a result, and how their values are brought."""

    columns: tuple[Any, ...]
    """As the driver describes them."""
    header: Header
    types: Mapping[int, PgType]
    """By OID, these columns' types and all that they are made of."""
    is_copied: bool
    """Whether the rows come by COPY; else they are fetched."""
    csv: CsvColumns | None
    """How COPY writes CSV that is JSON; None if the values are decoded one by one."""

    @classmethod
    def read(cls, columns: tuple[Any, ...], types: Mapping[int, PgType], *, is_query: bool) -> Shape:
        is_copied = is_query and bool(columns)
        oids = [column.type_code for column in columns]
        header = make_header(columns, types)
        return cls(columns, header, types, is_copied, CsvColumns.choose(oids, types) if is_copied else None)

    def make_encoder(self) -> Callable[[Any], bytes]:
        """Make the function that makes a row of JSON of a line of a COPY, or of a row that is fetched."""
        decoders = [find_decoder(column.type_code, self.types) for column in self.columns]
        encode: Callable[..., list[bytes]] = encode_copied_cells if self.is_copied else encode_fetched_cells
        return lambda row: write_row(encode(row, decoders))


def _find_base_type(oid: int, types: Mapping[int, PgType]) -> int | None:
    """Return the OID of the type under domains; None if its values need a decoder."""
    type = types.get(oid)
    if type and type.base:
        return _find_base_type(type.base, types)
    if (type and type.element) or (oid in BY_OID and oid not in AS_WRITTEN and oid not in ASKED_FOR):
        return None
    return oid


def write_json_rows(lines: Sequence[bytes]) -> bytes:
    """Return lines of a COPY with `CsvColumns` as rows of JSON, with no line end within a text."""
    body = b"".join(lines)
    if body.count(b"\n") != len(lines) or len(body.translate(None, OTHER_CONTROLS)) != len(body):
        body = b"\n".join(CONTROL.sub(lambda match: ESCAPES[match[0]], line.removesuffix(b"\n")) for line in lines)
        body += b"\n"
    return quote_no_numbers(body)


def quote_no_numbers(body: bytes) -> bytes:
    """Return lines of a COPY with quotes around numbers that JSON lacks, such as NaN.

    Bytes that are no UTF-8, which a database without encoding, or a damaged one, may hold, are replaced.
    """
    if (b"N" in body and b"NaN" in body) or (b"I" in body and b"Infinity" in body):  # one byte is found much faster
        body = NO_NUMBER.sub(lambda match: match[0] if match[0][:1] == b'"' else b'"' + match[0] + b'"', body)
    if body.isascii():
        return body
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode(errors="replace").encode()
    return body
