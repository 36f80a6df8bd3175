"""Encodes Postgres' text of a value as JSON.

The server's texts (DateStyle ISO, bytea as hex) become JSON without Python objects in between, so an exact number
keeps every digit.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sqlchat.connections.encoding import is_deep
from sqlchat.connections.results import Header

Decoder = Callable[[bytes], bytes]

COPY_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
COPY_MEANING = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
COPY_NULL = b"\\N"
ARRAY_ITEM = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*)"|([^,{}"\s][^,{}"]*))\s*', re.DOTALL)
JSON = frozenset({114, 3802})
"""OIDs of json and jsonb."""
LARGEST_DECIMAL = 76
"""Digits that 256 bits hold."""
ARROW_TYPES = {
    16: "bool", 17: "binary", 20: "int64", 21: "int16", 23: "int32", 26: "int64", 700: "float32", 701: "float64",
    1082: "date32", 1083: "time64[us]", 1114: "timestamp[us]", 1184: "timestamp[us, UTC]",
}  # fmt: skip
"""By a type's OID; other types are text."""
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
    """OID of an array's elements; 0 for other types."""


def make_header(columns: Sequence[Any], types: Mapping[int, PgType]) -> Header:
    """Describe columns that the driver describes, with `types` by their OIDs."""
    described = [types.get(column.type_code) for column in columns]
    return Header(
        columns=tuple(column.name for column in columns),
        types=tuple(type.name if type else "" for type in described),
        arrow=tuple(map(_find_arrow_type, columns)),
        is_document=tuple(_is_document(column.type_code, types) for column in columns),
    )


def _find_arrow_type(column: Any) -> str:
    """Return the Arrow type of a column. An exact number without a declared scale is text: any scale may occur."""
    digits, scale = column.precision or 0, column.scale or 0
    if column.type_code == 1700 and digits and 0 <= scale <= digits <= LARGEST_DECIMAL:
        return f"decimal({digits}, {scale})"
    return ARROW_TYPES.get(column.type_code, "string")


def _is_document(oid: int, types: Mapping[int, PgType]) -> bool:
    """Whether values of type `oid` are JSON documents or arrays."""
    type = types.get(oid)
    return oid in JSON or bool(type and (type.element or (type.base and _is_document(type.base, types))))


def encode_copied_cells(line: bytes, decoders: list[Decoder]) -> list[bytes]:
    """Return the JSON of each value in a line of COPY's text format."""
    fields = line.removesuffix(b"\n").split(b"\t")
    return [_encode_field(field, decode) for field, decode in zip(fields, decoders, strict=True)]


def encode_fetched_cells(row: tuple[str | None, ...], decoders: list[Decoder]) -> list[bytes]:
    """Return the JSON of each text in a row."""
    return [b"null" if cell is None else decode(cell.encode()) for cell, decode in zip(row, decoders, strict=True)]


def find_decoder(oid: int, types: Mapping[int, PgType]) -> Decoder:
    """Return the function that turns the text of a value of type `oid` into JSON; `types` holds its parts."""
    type = types.get(oid)
    if type and type.base:
        return find_decoder(type.base, types)
    if type and type.element:
        return _make_array_decoder(find_decoder(type.element, types))
    return BY_OID.get(oid, _encode_text)


def _encode_field(field: bytes, decode: Decoder) -> bytes:
    if b"\\" not in field:
        return decode(field)
    if field == COPY_NULL:
        return b"null"
    return decode(COPY_ESCAPE.sub(lambda match: COPY_MEANING.get(match[1], match[1]), field))


def _encode_text(value: bytes) -> bytes:
    return orjson.dumps(value.decode(errors="replace"))


def _encode_unchanged(value: bytes) -> bytes:
    return value


def _encode_json(value: bytes) -> bytes:
    if not value.isascii():
        value = value.decode(errors="replace").encode()  # in an SQL_ASCII database
    return _encode_text(value) if is_deep(value) else value


def _encode_boolean(value: bytes) -> bytes:
    return b"true" if value == b"t" else b"false"


def _encode_number(value: bytes) -> bytes:
    return value if value[-1:].isdigit() else b'"' + value + b'"'  # NaN, Infinity, -Infinity


def _encode_time(value: bytes) -> bytes:
    """Return a date or time in ISO 8601; infinity and years BC, which it lacks, stay unchanged."""
    if not value.endswith(b"BC"):
        value = value.replace(b" ", b"T", 1)
        if SHORT_ZONE.fullmatch(value) and b":" in value:
            value += b":00"
    return b'"' + value + b'"'


def _encode_bytes(value: bytes) -> bytes:
    return b'"' + b64encode(bytes.fromhex(value[2:].decode())) + b'"'


def _make_array_decoder(element: Decoder) -> Decoder:
    def decode(value: bytes) -> bytes:
        return _encode_array(value, element)

    return decode


def _encode_array(value: bytes, element: Decoder) -> bytes:
    """Return `{1,NULL,"a b"}`, nested or with bounds (`[0:1]={1,2}`), as a JSON array."""
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
                    return _encode_text(value)  # another delimiter, as of box
                quoted, bare = item.groups()
                if quoted is not None:
                    written.append(element(COPY_ESCAPE.sub(rb"\1", quoted)))
                else:
                    written.append(b"null" if bare == b"NULL" else element(bare))
                at = item.end() - 1
        at += 1
    return b"".join(written)


BY_OID: dict[int, Decoder] = {
    16: _encode_boolean,
    17: _encode_bytes,
    20: _encode_unchanged,  # bigint
    21: _encode_unchanged,  # smallint
    23: _encode_unchanged,  # integer
    26: _encode_unchanged,  # oid
    114: _encode_json,
    700: _encode_number,  # real
    701: _encode_number,  # double precision
    1082: _encode_time,  # date
    1114: _encode_time,  # timestamp
    1184: _encode_time,  # timestamptz
    1266: _encode_time,  # timetz
    1700: _encode_number,  # numeric
    3802: _encode_json,  # jsonb
}
"""Types of pg_catalog, whose OIDs are fixed; other types are text in JSON."""
