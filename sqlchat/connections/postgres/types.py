"""Postgres' text of a value -> JSON. For `connection.py` alone.

Values come as the server writes them (DateStyle ISO, bytea as hex) and leave as JSON without becoming Python objects
in between: an exact number keeps every digit because nobody reads it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from sqlchat.connections.encoding import is_deep

Decoder = Callable[[bytes], bytes]

COPY_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
COPY_MEANING = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
COPY_NULL = b"\\N"
ARRAY_ITEM = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*)"|([^,{}"\s][^,{}"]*))\s*', re.DOTALL)
SHORT_ZONE = re.compile(rb".*[+-]\d\d", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PgType:
    name: str
    """As `format_type` has it, such as `timestamp with time zone`."""
    category: str
    """pg_type.typcategory."""
    base: int
    """OID of the type under a domain, or 0."""
    element: int
    """OID of an array's elements, or 0 where it is none."""


def copied_row(line: bytes, decoders: list[Decoder]) -> bytes:
    """One line of COPY's text format as a JSON array."""
    return b"[" + b",".join(copied_cells(line, decoders)) + b"]"


def copied_cells(line: bytes, decoders: list[Decoder]) -> list[bytes]:
    """The JSON of each value of one line of COPY's text format."""
    fields = line.removesuffix(b"\n").split(b"\t")
    return [_copied(field, decode) for field, decode in zip(fields, decoders, strict=True)]


def fetched_row(row: tuple[str | None, ...], decoders: list[Decoder]) -> bytes:
    """One row of a cursor that hands on texts, as a JSON array."""
    cells = [b"null" if cell is None else decode(cell.encode()) for cell, decode in zip(row, decoders, strict=True)]
    return b"[" + b",".join(cells) + b"]"


def decoder(oid: int, types: Mapping[int, PgType]) -> Decoder:
    """What turns the text of a value of type `oid` into JSON; `types` knows it and all that it is made of."""
    known = types.get(oid)
    if known and known.base:
        return decoder(known.base, types)
    if known and known.element:
        return _array_of(decoder(known.element, types))
    return BY_OID.get(oid, _text)


def _copied(field: bytes, decode: Decoder) -> bytes:
    if b"\\" not in field:
        return decode(field)
    if field == COPY_NULL:
        return b"null"
    return decode(COPY_ESCAPE.sub(lambda found: COPY_MEANING.get(found[1], found[1]), field))


def _text(value: bytes) -> bytes:
    return orjson.dumps(value.decode(errors="replace"))


def _as_it_is(value: bytes) -> bytes:
    return value


def _json(value: bytes) -> bytes:
    return _text(value) if is_deep(value) else value


def _boolean(value: bytes) -> bytes:
    return b"true" if value == b"t" else b"false"


def _number(value: bytes) -> bytes:
    return value if value[-1:].isdigit() else b'"' + value + b'"'  # NaN, Infinity, -Infinity


def _time(value: bytes) -> bytes:
    """date, timestamp, timestamptz, timetz; infinity and years BC stay: ISO 8601 has no word for them."""
    if not value.endswith(b"BC"):
        value = value.replace(b" ", b"T", 1)
        if SHORT_ZONE.fullmatch(value) and b":" in value:
            value += b":00"
    return b'"' + value + b'"'


def _bytes(value: bytes) -> bytes:
    return b'"' + b64encode(bytes.fromhex(value[2:].decode())) + b'"'


def _array_of(element: Decoder) -> Decoder:
    def decode(value: bytes) -> bytes:
        return _array(value, element)

    return decode


def _array(value: bytes, element: Decoder) -> bytes:
    """`{1,NULL,"a b"}`, nested or with bounds (`[0:1]={1,2}`), as a JSON array."""
    written: list[bytes] = []
    at = value.index(b"{")
    while at < len(value):
        match value[at : at + 1]:
            case b"{":
                written.append(b"[")
            case b"}":
                written.append(b"]")
            case b",":
                written.append(b",")
            case _:
                item = ARRAY_ITEM.match(value, at)
                if item is None:
                    return _text(value)  # another delimiter, as of box
                quoted, bare = item.groups()
                if quoted is not None:
                    written.append(element(COPY_ESCAPE.sub(rb"\1", quoted)))
                else:
                    written.append(b"null" if bare == b"NULL" else element(bare))
                at = item.end() - 1
        at += 1
    return b"".join(written)


BY_OID: dict[int, Decoder] = {
    16: _boolean,
    17: _bytes,
    20: _as_it_is,  # bigint
    21: _as_it_is,  # smallint
    23: _as_it_is,  # integer
    26: _as_it_is,  # oid
    114: _json,
    700: _number,  # real
    701: _number,  # double precision
    1082: _time,  # date
    1114: _time,  # timestamp
    1184: _time,  # timestamptz
    1266: _time,  # timetz
    1700: _number,  # numeric
    3802: _json,  # jsonb
}
"""Types of pg_catalog, whose OIDs are fixed, that are not simply text in JSON."""
