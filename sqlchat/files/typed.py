"""A file's rows as Arrow record batches in the types that its profile found. Runs in a killable worker process.

The file is read twice: once to know the types, since only all rows tell them, and once to convert. Both are done
block by block in two threads, so memory does not grow with the file. What `types` and `inspection` decided is what is
converted here, by the same casts: nothing is guessed a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sqlchat.files import formats, types
from sqlchat.files.columns import Column
from sqlchat.files.conversion import Conversion
from sqlchat.files.formats import Block, Load
from sqlchat.files.options import Options
from sqlchat.files.profile import look_through
from sqlchat.files.threads import in_order

LARGEST_PRECISION = 38
"""Digits of a NUMERIC past which no usual database holds it exactly: then it is DOUBLE PRECISION."""


@dataclass(frozen=True)
class TypedColumn:
    name: str
    type: str
    """SQL name: that of the profile, a NUMERIC with precision and scale."""
    facts: Mapping[str, Any]
    """The profile's entry: nulls, distinct, distinct_is_exact, min, max, ..."""
    remarks: tuple[str, ...]
    """What a reader of the values should know: how they were written in the file, what was taken for null."""


class TypedTable:
    """A file, opened and known to its end.

    Raises, also while `batches` is read, FileInvalidError (with the fact `line` where there is one), TooLargeError
    and UnsupportedMediaError.
    """

    def __init__(self, path: str, file_name: str, options: Options) -> None:
        self._format, self._source = formats.detect(path, file_name, options.sheet)
        self._options = options
        self._table = self._format.read(self._source, options)
        self.row_count, columns = look_through(self._table)
        self.warnings: list[str] = []
        """What deserves a second look, of the file and of its columns."""
        self.facts: dict[str, Any] = {"format": self._format.name, **self._table.facts}
        found = [_decided(column, self.row_count, self.warnings) for column in columns.values()]
        self.warnings[:0] = self._table.warnings
        self.columns = [column for column, _ in found]
        self._conversions = {column.name: conversion for column, conversion in found}

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(column.name, self._conversions[column.name].arrow) for column in self.columns])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in their order, as batches of `schema`. Gives what it read once; a second call reads anew."""
        return in_order(self._batch, self._blocks())

    def cut(self) -> list[str]:
        """Names of the columns of which a time was cut to microseconds. Whole once `batches` was read."""
        return [name for name, conversion in self._conversions.items() if conversion.cut]

    def _blocks(self) -> Iterator[Load]:
        if self._table.again is not None:
            return self._table.again([])
        return self._format.read(self._source, self._options).blocks

    def _batch(self, load: Load) -> pa.RecordBatch:
        block = load()
        arrays = [self._whole(block, name, conversion) for name, conversion in self._conversions.items()]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _whole(self, block: Block, name: str, conversion: Conversion) -> pa.Array:
        """One column of a block, with its nulls."""
        parts = [part for part in block.columns.get(name, ()) if len(part.values)]
        if not parts:
            return pa.nulls(block.rows, conversion.arrow)
        arrays = [conversion.convert(part) for part in parts]
        if len(parts) == 1 and len(arrays[0]) == block.rows:
            return arrays[0]
        places = np.full(block.rows, -1, np.int64)
        first = 0
        for part in parts:
            places[part.values.index.to_numpy()] = np.arange(first, first + len(part.values))
            first += len(part.values)
        return pa.concat_arrays(arrays).take(pa.array(places, mask=places < 0))


def _decided(column: Column, rows: int, warnings: list[str]) -> tuple[TypedColumn, Conversion]:
    entry = column.summary(rows, warnings)
    sql_type, remarks, reading = entry["type"], [], column.reading()
    precision, scale = column.decimal() if sql_type == "NUMERIC" else (0, 0)
    if precision > LARGEST_PRECISION:
        sql_type = "DOUBLE PRECISION"
        remarks.append("rounded, as no NUMERIC holds all its digits")
    missing = column.missing if sql_type not in {"TEXT", "JSON"} else frozenset()
    if words := sorted(missing - {""}):
        remarks.append(f"{', '.join(map(repr, words[:3]))} in the file is null")
    if given := entry.get("format"):
        remarks.append(f"written as {given} in the file")
    if reading is types.ZONED or column.has_zone:
        remarks.append("in UTC")
    remarks += column.written()
    typed = sql_type == "NUMERIC" and not column.is_text
    conversion = Conversion(sql_type, reading, missing, scale if typed else None, months=column.has_months)
    if sql_type == "NUMERIC":
        sql_type = f"NUMERIC({precision}, {scale})"
    return TypedColumn(column.name, sql_type, entry, tuple(remarks)), conversion
