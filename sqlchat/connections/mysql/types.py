"""Encodes MySQL's text of a value as JSON.

The server's texts (str, or bytes for binary values) become JSON without Python objects in between, so a DECIMAL keeps
every digit.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import zoneinfo
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from sqlchat.connections.results import Header

Raw = str | bytes
Decoder = Callable[[Raw], bytes]

NAMES = {
    0: "decimal", 1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 6: "null", 7: "timestamp",
    8: "bigint", 9: "mediumint", 10: "date", 11: "time", 12: "datetime", 13: "year", 15: "varchar", 16: "bit",
    245: "json", 246: "decimal", 247: "enum", 248: "set", 253: "varchar", 254: "char", 255: "geometry",
}  # fmt: skip
"""Types by their numbers in the protocol. A text and its binary counterpart (char, binary) share one."""
BINARY_NAMES = {15: "varbinary", 253: "varbinary", 254: "binary"}
LONG_CODES = frozenset({249, 250, 251, 252})
"""Texts and blobs of all sizes; most servers send 252 for all of them."""
SIZES = ((255, "tiny"), (65_535, ""), (16_777_215, "medium"))
"""Most characters of a text, or bytes of a blob, and the prefix of its type."""
BYTES_A_CHARACTER = 4
"""Bytes of a character in utf8mb4: the server sends the length of a text in bytes."""
BINARY = 63
"""The number of the character set of values that are no text."""
UNSIGNED, ENUM, SET = 0x20, 0x100, 0x800
"""Flags of a column."""
NUMBERS = frozenset({0, 1, 2, 3, 4, 5, 8, 9, 13, 246})
JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
UNSIGNABLE = NUMBERS - {13}
"""A year has the flag without having a sign."""
JSON = 245
BLOBS = LONG_CODES | {253, 254, 255}
ARROW_TYPES = {
    1: ("int8", "uint8"), 2: ("int16", "uint16"), 3: ("int32", "uint32"), 8: ("int64", "uint64"),
    9: ("int32", "uint32"), 13: ("int16", "uint16"), 16: ("uint64", "uint64"), 4: ("float32", "float32"),
    5: ("float64", "float64"), 10: ("date32", "date32"), 12: ("timestamp[us]", "timestamp[us]"),
}  # fmt: skip
"""Arrow's signed and unsigned type by a type's number; other types are text."""
OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Field:
    """A column of an answer, as the protocol describes it."""

    name: str
    code: int
    flags: int
    charset: int
    length: int
    """In bytes."""
    scale: int
    """Digits behind the point."""

    @property
    def type(self) -> str:
        """The type as it is declared, without sizes and labels, such as `bigint unsigned`; "" for an unknown one."""
        is_binary = self.charset == BINARY
        if self.code in LONG_CODES:
            characters = self.length if is_binary else self.length // BYTES_A_CHARACTER
            size = next((name for most, name in SIZES if characters <= most), "long")
            return size + ("blob" if is_binary else "text")
        if self.code == 254 and self.flags & (ENUM | SET):
            return "enum" if self.flags & ENUM else "set"
        if is_binary and self.code in BINARY_NAMES:
            return BINARY_NAMES[self.code]
        name = NAMES.get(self.code, "")
        return f"{name} unsigned" if self.code in UNSIGNABLE and self.flags & UNSIGNED else name


def make_header(fields: Sequence[Field], *, has_zone: bool) -> Header:
    """Describe columns. `has_zone`: a TIMESTAMP is returned with its offset."""
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
    if field.code in ARROW_TYPES:
        return ARROW_TYPES[field.code][is_unsigned]
    return "timestamp[us, UTC]" if field.code == 7 and has_zone else "string"


def encode_cells(row: Sequence[Raw | None], decoders: Sequence[Decoder]) -> list[bytes]:
    """Return the JSON of each value in a row."""
    return [b"null" if cell is None else decode(cell) for cell, decode in zip(row, decoders, strict=True)]


def find_decoder(type_code: int, zone: datetime.tzinfo | None) -> Decoder:
    """Return the function that turns a value of that type into JSON; `zone` is the session's, for a TIMESTAMP."""
    match type_code:
        case _ if type_code in NUMBERS:
            return _encode_number
        case 7 if zone is not None:
            return _make_zone_decoder(zone)
        case 7 | 12:
            return _encode_time
        case 16:
            return _encode_bits
        case _ if type_code == JSON:
            return _encode_json
    return _encode_text


def find_session_zone(session: str, system: str) -> datetime.tzinfo | None:
    """Return the time zone that `@@time_zone` and `@@system_time_zone` name; None if it is unknown here."""
    name = system if session == "SYSTEM" else session
    if match := OFFSET.fullmatch(name):
        offset = datetime.timedelta(hours=int(match[2]), minutes=int(match[3]))
        return datetime.timezone(-offset if match[1] == "-" else offset)
    with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(name)
    return None


def _encode_text(value: Raw) -> bytes:
    if isinstance(value, bytes):
        return b'"' + b64encode(value) + b'"'
    return orjson.dumps(value)


def _encode_number(value: Raw) -> bytes:
    text = value if isinstance(value, str) else value.decode()
    if JSON_NUMBER.fullmatch(text):
        return text.encode()
    stripped = text.lstrip("0") or "0"  # ZEROFILL
    return stripped.encode() if JSON_NUMBER.fullmatch(stripped) else b"null"


def _encode_time(value: Raw) -> bytes:
    text = value if isinstance(value, str) else value.decode()
    return orjson.dumps(text.replace(" ", "T", 1))


def _make_zone_decoder(zone: datetime.tzinfo) -> Decoder:
    def decode(value: Raw) -> bytes:
        text = value if isinstance(value, str) else value.decode()
        try:
            moment = datetime.datetime.fromisoformat(text).replace(tzinfo=zone)
        except ValueError:
            return _encode_time(text)  # 0000-00-00 00:00:00
        return orjson.dumps(text.replace(" ", "T", 1) + moment.isoformat()[-6:])

    return decode


def _encode_bits(value: Raw) -> bytes:
    return str(int.from_bytes(value if isinstance(value, bytes) else value.encode("latin-1"), "big")).encode()


def _encode_json(value: Raw) -> bytes:
    return value.encode() if isinstance(value, str) else value
