"""Reads a file's rows as Arrow record batches in the types of its analysis. Runs in a killable worker process.

A file is read twice, once for the analysis (an upload may have kept it) and once for the rows: block by block in two
threads, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from sqlchat.files import formats
from sqlchat.files.analysis import AnalysisCache, analyze
from sqlchat.files.conversion import Conversion
from sqlchat.files.formats import Block, Load
from sqlchat.files.memory import tune_allocator
from sqlchat.files.options import Options
from sqlchat.files.threads import work_in_order


class TypedTable:
    """A file that was opened and analyzed.

    Raises, also while `batches` is read, FileInvalidError (with the fact `line` if it is known), TooLargeError
    and UnsupportedMediaError.
    """

    def __init__(self, path: str, file_name: str, options: Options, cache_folder: str | None = None) -> None:
        """`cache_folder` may hold the analysis of an upload of the same bytes."""
        cached = AnalysisCache(cache_folder).take(path, file_name, options) if cache_folder is not None else None
        self._format, source = formats.detect_format(path, file_name, options.sheet)
        self._source = replace(source, scan=cached and cached.scan)
        self._table = self._format.read(self._source, options)
        tune_allocator(len(self._table.names))
        self._unread_blocks: Iterator[Load] | None = self._table.blocks if cached is not None else None
        analysis = cached or analyze(self._table)
        self._options, self.row_count, self.columns = options, analysis.row_count, analysis.columns
        self.warnings: list[str] = analysis.warnings
        """Of the file and of its columns."""
        self.facts: dict[str, Any] = {"format": self._format.name, **analysis.facts}
        names = [column.name for column in self.columns]
        self._conversions: dict[str, Conversion] = dict(zip(names, analysis.conversions, strict=True))

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([(column.name, self._conversions[column.name].arrow) for column in self.columns])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give all rows in their order, as batches of `schema`. Each call reads the file anew."""
        return work_in_order(self._read_batch, self._open_blocks())

    def cut(self) -> list[str]:
        """List the columns with times that were cut to microseconds. Complete when `batches` was read."""
        return [name for name, conversion in self._conversions.items() if conversion.cut]

    def _open_blocks(self) -> Iterator[Load]:
        if self._unread_blocks is not None:
            blocks, self._unread_blocks = self._unread_blocks, None
            return blocks
        if self._table.again is not None:
            return self._table.again([])
        return self._format.read(self._source, self._options).blocks

    def _read_batch(self, load: Load) -> pa.RecordBatch:
        block = load()
        arrays = [self._convert_column(block, name, conversion) for name, conversion in self._conversions.items()]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _convert_column(self, block: Block, name: str, conversion: Conversion) -> pa.Array:
        """Convert one column of a block, with its nulls."""
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
