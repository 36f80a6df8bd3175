"""Gives a file's rows as Arrow record batches in the types of its analysis. Runs in a killable worker process.

A file is read twice, once for the analysis (an upload may have kept it) and once for the rows: block by block in two
threads, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from sqlchat.files import formats
from sqlchat.files.analysis import AnalysisCache, analyze
from sqlchat.files.conversion import Conversion
from sqlchat.files.formats import Block, Load
from sqlchat.files.options import Options
from sqlchat.files.threads import work_in_order


class TypedTable:
    """A file that was opened and analyzed.

    Raises, also while `batches` is read, FileInvalidError (with the fact `line` where there is one), TooLargeError
    and UnsupportedMediaError.
    """

    def __init__(self, path: str, file_name: str, options: Options, kept_in: str | None = None) -> None:
        """`kept_in`: a folder that may hold the analysis of an upload of the same bytes."""
        self._format, self._source = formats.detect(path, file_name, options.sheet)
        self._table = self._format.read(self._source, options)
        found = AnalysisCache(kept_in).take(path, file_name, options) if kept_in is not None else None
        self._again: Iterator[Load] | None = self._table.blocks if found is not None else None
        found = found or analyze(self._table)
        self._options, self.row_count, self.columns = options, found.row_count, found.columns
        self.warnings: list[str] = found.warnings
        """Of the file and of its columns."""
        self.facts: dict[str, Any] = {"format": self._format.name, **found.facts}
        names = [column.name for column in self.columns]
        self._conversions: dict[str, Conversion] = dict(zip(names, found.conversions, strict=True))

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(column.name, self._conversions[column.name].arrow) for column in self.columns])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in their order, as batches of `schema`. Gives what it read once; a second call reads anew."""
        return work_in_order(self._batch, self._blocks())

    def cut(self) -> list[str]:
        """Names of the columns of which a time was cut to microseconds. Whole once `batches` was read."""
        return [name for name, conversion in self._conversions.items() if conversion.cut]

    def _blocks(self) -> Iterator[Load]:
        if self._again is not None:
            first, self._again = self._again, None
            return first
        if self._table.again is not None:
            return self._table.again([])
        return self._format.read(self._source, self._options).blocks

    def _batch(self, load: Load) -> pa.RecordBatch:
        block = load()
        arrays = [self._whole(block, name, conversion) for name, conversion in self._conversions.items()]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _whole(self, block: Block, name: str, conversion: Conversion) -> pa.Array:
        """One column of a block, with its nulls."""
        parts = [part for part in block.columns.get(name, ()) if len(part.array)]
        if not parts:
            return pa.nulls(block.rows, conversion.arrow)
        arrays = [conversion.convert(part) for part in parts]
        if len(parts) == 1 and len(arrays[0]) == block.rows:
            return arrays[0]
        places = np.full(block.rows, -1, np.int64)
        first = 0
        for part in parts:
            places[slice(None) if part.rows is None else part.rows] = np.arange(first, first + len(part.array))
            first += len(part.array)
        return pa.concat_arrays(arrays).take(pa.array(places, mask=places < 0))
