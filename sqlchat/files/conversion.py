"""Converts a column's blocks to the type that the analysis of the whole file gave it.

Texts of UUID, JSON and NUMERIC stay texts, which the database can cast: Arrow has no fast type for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files import readings
from sqlchat.files.formats import Part
from sqlchat.files.inspection import convert_to_python
from sqlchat.files.readers import drop_plus_of_infinity
from sqlchat.files.readings import Reading
from sqlchat.files.sketch import has_outer_blanks
from sqlchat.files.value_stats import NUMBER_TYPES

ARROW = {
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE PRECISION": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "TIME": pa.time64("us"),
    "INTERVAL": pa.duration("us"),
    "NUMERIC": pa.string(),
    "UUID": pa.string(),
    "JSON": pa.string(),
    "TEXT": pa.string(),
}
"""SQL type -> Arrow type of its values; `Conversion.arrow` has the exceptions."""


@dataclass
class Conversion:
    """Converts one column's values to its type. `convert` may be called from several threads."""

    sql_type: str
    """Without precision and scale."""
    reading: Reading | None = None
    """The way to read texts; None if they stay as they are."""
    missing: frozenset[str] = frozenset()
    """Words that are nulls."""
    scale: int | None = None
    """Scale of a NUMERIC whose values are no texts."""
    months: bool = False
    """Are intervals in months?"""
    cut: bool = field(default=False, init=False)
    """Was a time cut to microseconds?"""

    @classmethod
    def of_dict(cls, content: dict[str, Any]) -> Conversion:
        reading = readings.READINGS[content["reading"]] if content["reading"] else None
        names = ("sql_type", "scale", "months")
        return cls(reading=reading, missing=frozenset(content["missing"]), **{name: content[name] for name in names})

    @property
    def arrow(self) -> pa.DataType:
        if self.months:
            return pa.month_day_nano_interval()
        return ARROW[self.sql_type] if self.scale is None else pa.decimal128(38, self.scale)

    def convert(self, part: Part) -> pa.Array:
        """Convert a part to an array of type `arrow` and the same length."""
        array = part.array
        if self.sql_type == "TEXT":
            return _to_texts(array)
        if self.sql_type == "JSON":
            return array if part.inferred in {"json", "text"} else _to_json(array)
        if part.inferred is None:
            return self._cast(array)
        if part.inferred == "string" and has_outer_blanks(array):
            array = pc.utf8_trim_whitespace(array)
        return self._read(array)

    def _cast(self, array: pa.Array) -> pa.Array:
        """Convert values whose type the file gives."""
        if pa.types.is_interval(array.type):
            return array
        if pa.types.is_floating(self.arrow) or pa.types.is_integer(self.arrow):
            return pc.cast(array, self.arrow, safe=pa.types.is_integer(self.arrow))
        if pa.types.is_date(array.type) and pa.types.is_timestamp(self.arrow):
            return pc.cast(array, self.arrow)
        if pa.types.is_temporal(self.arrow):
            return self._to_microseconds(array)
        return pc.cast(array, self.arrow)

    def _to_microseconds(self, array: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(array.type) and array.type.tz is not None:
            array = array.view(pa.int64()).view(pa.timestamp(array.type.unit))  # stored in UTC
        try:
            return pc.cast(array, self.arrow)
        except pa.ArrowInvalid:
            self.cut = True
            return pc.cast(array, self.arrow, safe=False)

    def _read(self, texts: pa.Array) -> pa.Array:
        """Convert texts; words for no value become nulls."""
        if not self.missing:
            return self._read_all(texts)
        words = pc.is_in(texts, pa.array([*sorted(self.missing), ""])).to_numpy(zero_copy_only=False)
        if words.all():
            return pa.nulls(len(texts), self.arrow)
        places = np.cumsum(~words) - 1
        return self._read_all(texts.filter(pa.array(~words))).take(pa.array(places, mask=words))

    def _read_all(self, texts: pa.Array) -> pa.Array:
        """Convert texts without words for no value. Raises ArrowInvalid if one does not fit."""
        reading = self.reading
        if reading is None or self.sql_type == "UUID":
            return pc.cast(texts, self.arrow)
        if self.sql_type in NUMBER_TYPES:
            if reading.notation is None:
                return pc.cast(
                    drop_plus_of_infinity(texts) if self.sql_type == "DOUBLE PRECISION" else texts, self.arrow
                )
            if (plain := reading.notation.plain(texts)) is None:
                raise pa.ArrowInvalid(f"no numbers of the form {reading.name}")
            return pc.cast(plain[0], self.arrow)
        fit = reading.fit(texts)
        if fit is None or fit.values is None:
            raise pa.ArrowInvalid(f"no text is a {reading.name}")
        self.cut = self.cut or "cut" in fit.marks
        return pc.equal(fit.values, "true") if self.sql_type == "BOOLEAN" else self._to_microseconds(fit.values)


def _to_texts(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _bytes_to_texts(array)
    if pa.types.is_temporal(kind):
        return pa.array([str(convert_to_python(value)) for value in array], pa.string())
    return pc.cast(array, pa.string())


def _bytes_to_texts(array: pa.Array) -> pa.Array:
    """Decode each value that is UTF-8, and write the others in hexadecimal."""
    try:
        return pc.cast(pc.cast(array, pa.binary()), pa.string())
    except pa.ArrowInvalid:
        return pa.array([_byte_to_text(value) for value in array.to_pylist()], pa.string())


def _byte_to_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _to_json(array: pa.Array) -> pa.Array:
    """Convert values to JSON: numbers and truth values as they are written, all others in quotes."""
    texts = _to_texts(array)
    if pa.types.is_boolean(array.type) or pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return texts
    return pa.array([json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()], pa.string())
