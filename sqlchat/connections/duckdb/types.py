"""Reads values from DuckDB with every digit: casts them to text in the engine and decodes the text here.

DuckDB's Python values lose information: a month becomes thirty days, an infinite date the year 9999, and TIMESTAMP_NS
loses its nanoseconds. So such a column is selected as text, which `decode` turns into a value for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sqlchat.connections.duckdb.instance import SYSTEM
from sqlchat.connections.embedded import quoted
from sqlchat.connections.encoding import DEEPEST, no_number, read_document
from sqlchat.connections.results import Header

Decode = Callable[[Any], Any]

INTEGERS = frozenset(["tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"])
AS_IS = INTEGERS | {"boolean", "double", "varchar", "blob", "uuid", "bit", "enum", "struct"}
NUMBERS = frozenset({"hugeint", "uhugeint", "decimal", "float", "bignum"})
NESTED = frozenset({"list", "array", "struct", "map", "union", "variant", "tuple"})


ARROW_TYPES = {
    "boolean": "bool", "tinyint": "int8", "smallint": "int16", "integer": "int32", "bigint": "int64",
    "utinyint": "uint8", "usmallint": "uint16", "uinteger": "uint32", "ubigint": "uint64",
    "hugeint": "decimal(39, 0)", "uhugeint": "decimal(39, 0)", "float": "float32", "double": "float64",
    "blob": "binary", "date": "date32", "time": "time64[us]", "timestamp": "timestamp[us]",
    "timestamp_s": "timestamp[s]", "timestamp_ms": "timestamp[ms]", "timestamp_ns": "timestamp[ns]",
    "timestamp with time zone": "timestamp[us, UTC]",
}  # fmt: skip
"""By a type's id; all others are text."""


def make_header(columns: Sequence[str], types: Sequence[Any]) -> Header:
    return Header(
        columns=tuple(columns),
        types=tuple(map(str, types)),
        arrow=tuple(map(_find_arrow_type, types)),
        is_document=tuple(str(type.id) in NESTED or str(type) == "JSON" for type in types),
    )


def _find_arrow_type(type: Any) -> str:
    if (kind := str(type.id)) == "decimal":
        precision, scale = (value for _, value in type.children)
        return f"decimal({precision}, {scale})"
    return ARROW_TYPES.get(kind, "string")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column is read: an SQL expression, and a function that turns its Python value into one for JSON."""

    expression: str
    decode: Decode | None


def choose_reading(type: Any, position: int) -> Reading:
    """Choose how to read the column at `position` (from 1) with the DuckDBPyType `type`."""
    try:
        cast, decode = _choose_cast(type)
    except _NoCastError:
        return Reading(f"CAST({SYSTEM}.to_json(#{position}) AS VARCHAR)", _decode_json)
    return Reading(f"#{position}" if cast == str(type) else f"CAST(#{position} AS {cast})", decode)


def decode_rows(readings: Sequence[Reading], rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Return the rows with values for JSON."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, reading in enumerate(readings):
        if reading.decode:
            columns[place] = list(map(reading.decode, columns[place]))
    return list(zip(*columns, strict=True))


class _NoCastError(Exception):
    """No cast fits a type or a part of it, so DuckDB itself must write its values as JSON."""


def _choose_cast(type: Any, depth: int = 0) -> tuple[str, Decode | None]:
    """Return the type to cast to, which may be the same, and the function that decodes its values."""
    if depth > DEEPEST:
        raise _NoCastError
    if str(type) == "JSON":  # an alias of VARCHAR, by its id
        return "VARCHAR", _decode_json
    match kind := str(type.id):
        case "list" | "array":
            cast, decode = _choose_cast(type.children[0][1], depth + 1)
            size = type.children[1][1] if kind == "array" else ""
            return f"{cast}[{size}]", decode and _decode_each(decode)
        case "struct" if type.children:
            fields = [(name, *_choose_cast(child, depth + 1)) for name, child in type.children]
            casts = ", ".join(f"{quoted(name)} {cast}" for name, cast, _ in fields)
            return f"STRUCT({casts})", _decode_fields({name: decode for name, _, decode in fields if decode})
        case "map":
            (_, key), (_, value) = type.children
            if str(key.id) in NESTED:
                raise _NoCastError
            cast, decode = _choose_cast(value, depth + 1)
            return f"MAP(VARCHAR, {cast})", decode and _decode_items(decode)
        case "union" | "variant" | "tuple":
            raise _NoCastError
        case "timestamp" | "timestamp_s" | "timestamp_ms" | "timestamp_ns":
            return "VARCHAR", _decode_optional(_decode_timestamp)
        case "timestamp with time zone" | "timestamptz_ns" | "time with time zone":
            return "VARCHAR", _decode_optional(_decode_zoned)
        case _ if kind in NUMBERS:
            return "VARCHAR", _decode_optional(_decode_number)
        case _ if kind in AS_IS:
            return str(type), None
    return "VARCHAR", None


def _decode_optional(decode: Decode) -> Decode:
    return lambda value: None if value is None else decode(value)


def _decode_each(decode: Decode) -> Decode:
    return _decode_optional(lambda values: [decode(value) for value in values])


def _decode_items(decode: Decode) -> Decode:
    return _decode_optional(lambda value: {k: decode(v) for k, v in value.items()})


def _decode_fields(decoders: dict[str, Decode]) -> Decode | None:
    if not decoders:
        return None
    return _decode_optional(lambda value: {k: decoders[k](v) if k in decoders else v for k, v in value.items()})


def _decode_number(text: str) -> Any:
    """Return a number for JSON. DuckDB writes a DECIMAL(2, 2) as `.50`, and nan and inf, which JSON lacks."""
    if not text[-1].isdigit():
        return no_number(float(text))
    if text.startswith((".", "-.")):
        text = text.replace(".", "0.", 1)
    return orjson.Fragment(text)


def _decode_json(text: str | None) -> Any:
    return None if text is None else read_document(text)


def _decode_timestamp(text: str) -> str:
    """Return a time in ISO 8601; `infinity` and years before Christ stay as DuckDB writes them."""
    return text if "(BC)" in text else text.replace(" ", "T", 1)


def _decode_zoned(text: str) -> str:
    """Return a time in ISO 8601 whose offset has hours and minutes."""
    return _decode_timestamp(f"{text}:00" if text[-3:-2] in {"+", "-"} else text)
