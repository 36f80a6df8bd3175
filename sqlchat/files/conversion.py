"""Values of one column's blocks in the type that the profile of the whole file found. Used by `typed`.

Arrow has no UUID with text's speed, no JSON, and casts decimals slowly: those, and NUMERIC read from text, stay text
that is known to cast. Nothing else is left to whoever takes the values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from sqlchat.files import moments
from sqlchat.files.formats import Part
from sqlchat.files.inspection import python

ARROW = {
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE PRECISION": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "TIME": pa.time64("us"),
    "NUMERIC": pa.string(),
    "UUID": pa.string(),
    "JSON": pa.string(),
    "TEXT": pa.string(),
}
"""How values of an SQL type are carried; NUMERIC as what `Conversion.arrow` says."""


@dataclass
class Conversion:
    """The way of one column's values into its type. `convert` may be called from several threads."""

    sql_type: str
    """Without precision and scale."""
    format: str | None = None
    """strptime's notation, of a DATE or TIMESTAMP."""
    missing: frozenset[str] = frozenset()
    """Words that are nulls."""
    scale: int | None = None
    """Of a NUMERIC whose values are no texts."""
    cut: bool = field(default=False, init=False)
    """Was a time cut to microseconds?"""

    @property
    def arrow(self) -> pa.DataType:
        return ARROW[self.sql_type] if self.scale is None else pa.decimal128(38, self.scale)

    def convert(self, part: Part) -> pa.Array:
        """One array of `arrow`, as long as the part."""
        array = part.array
        if self.sql_type == "TEXT":
            return _texts(array)
        if self.sql_type == "JSON":
            return array if part.inferred in {"json", "text"} else _json_texts(array)
        if part.inferred is None:
            return self._cast(array)
        return self._read(array)

    def _cast(self, array: pa.Array) -> pa.Array:
        """Values that brought a type."""
        if pa.types.is_floating(self.arrow) or pa.types.is_integer(self.arrow):
            return pc.cast(array, self.arrow, safe=pa.types.is_integer(self.arrow))
        if pa.types.is_date(array.type) and pa.types.is_timestamp(self.arrow):
            return pc.cast(array, self.arrow)
        if pa.types.is_temporal(self.arrow):
            return self._to_microseconds(array)
        return pc.cast(array, self.arrow)

    def _to_microseconds(self, array: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(array.type) and array.type.tz is not None:
            array = array.view(pa.int64()).view(pa.timestamp(array.type.unit))  # as it is kept: in UTC
        try:
            return pc.cast(array, self.arrow)
        except pa.ArrowInvalid:
            self.cut = True
            return pc.cast(array, self.arrow, safe=False)

    def _read(self, texts: pa.Array) -> pa.Array:
        """Texts, as `types` reads them: where they do not read so, without outer blanks and words for no value."""
        try:
            return self._readings(texts)
        except (pa.ArrowInvalid, ValueError):
            trimmed = pc.utf8_trim_whitespace(texts)
            if self.missing:
                words = pc.is_in(trimmed, pa.array(sorted(self.missing)))
                trimmed = pc.if_else(words, pa.scalar(None, pa.string()), trimmed)
            return self._readings(trimmed)

    def _readings(self, texts: pa.Array) -> pa.Array:
        if self.format:
            return self._formatted(texts, self.format)
        match self.sql_type:
            case "NUMERIC":
                if self.missing:
                    pc.cast(texts, pa.float64())  # fails where there is such a word
                return pc.utf8_trim_whitespace(texts)
            case "UUID":
                return pc.utf8_trim_whitespace(texts)
            case "BOOLEAN":
                truths = pc.ascii_lower(pc.utf8_trim_whitespace(texts))
                return pc.equal(truths, "true")
            case "TIME":
                moments = pc.binary_join_element_wise("1970-01-01", pc.utf8_trim_whitespace(texts), " ")
                return pc.cast(pc.cast(moments, pa.timestamp("us")), self.arrow)
            case "TIMESTAMP":
                return self._moments(texts)
        return pc.cast(texts, self.arrow)

    def _formatted(self, texts: pa.Array, format: str) -> pa.Array:
        found = moments.read(texts, format)
        if found is None:
            raise pa.ArrowInvalid(f"no text of the format {format}")
        read, cut = found
        self.cut = self.cut or cut
        return pc.cast(read, self.arrow)

    def _moments(self, texts: pa.Array) -> pa.Array:
        """ISO 8601 with or without a zone, in micro- or nanoseconds: one of them fits all texts of a column."""
        fault: Exception | None = None
        for unit in ("us", "ns"):
            for zone in (None, "UTC"):
                try:
                    return self._to_microseconds(pc.cast(texts, pa.timestamp(unit, zone)))
                except pa.ArrowInvalid as exc:
                    fault = exc
        assert fault is not None
        raise fault


def _texts(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _bytes_as_texts(array)
    if pa.types.is_temporal(kind):
        return pa.array([str(python(value)) for value in array], pa.string())
    return pc.cast(array, pa.string())


def _bytes_as_texts(array: pa.Array) -> pa.Array:
    """Bytes that are UTF-8 as their text, others in hexadecimal, each value for itself."""
    try:
        return pc.cast(pc.cast(array, pa.binary()), pa.string())
    except pa.ArrowInvalid:
        return pa.array([_byte_text(value) for value in array.to_pylist()], pa.string())


def _byte_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _json_texts(array: pa.Array) -> pa.Array:
    """Values among JSON as JSON: a number or a truth value as it is written, all else in quotes."""
    texts = _texts(array)
    if pa.types.is_boolean(array.type) or pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return texts
    return pa.array([json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()], pa.string())
