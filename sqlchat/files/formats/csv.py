"""CSV and its kin: any delimiter, quoting and encoding that `sniff` tells apart, parsed by Arrow."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from sqlchat.errors import FileInvalidError
from sqlchat.files import sniff
from sqlchat.files.formats import BLOCK_BYTES, Block, Load, Options, Part, Table, unique_names
from sqlchat.files.sketch import filled
from sqlchat.files.source import Source

PARSED_BYTES = 1 << 20
"""Arrow parses so much of a stretch at a time, which the processor's caches hold."""

READ_BYTES = 1 << 20
"""As long as a row must be at most, and 32 of them are read ahead, where rows are read in their order."""

LONGEST_ROW = 16 << 20
"""Bytes, of a file that has long lines."""

WIDE, MOST_TOGETHER = 250, 4
"""Of so many columns a block has few rows: two are read together, of twice as many three, and so on."""

PARTED = {"utf-8": 1, "cp1252": 3, "latin_1": 2}
"""Encodings in which the bytes of a delimiter, a quote and a row's end are nothing else -> how much longer a text may
be in UTF-8."""

NAMES = {
    "utf-8": "utf-8",
    "cp1252": "windows-1252",
    "latin_1": "iso-8859-1",
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
}
"""What an encoding is called where the world does not say Python's name."""


def read(source: Source, options: Options) -> Table:
    """A table of texts. Raises FileInvalidError with the fact `line` for a ragged row or a quote left open."""
    encoding = sniff.encoding(source)
    head = codecs.getincrementaldecoder(encoding.name)("replace").decode(source.head(sniff.HEAD_BYTES))
    whole = len(source.head(sniff.HEAD_BYTES + 1)) <= sniff.HEAD_BYTES
    dialect = sniff.dialect(head.removeprefix("\ufeff"), whole=whole, tabs=source.suffix == ".tsv")
    warnings = list(dialect.warnings)
    names = unique_names(dialect.header, warnings)
    shown = NAMES.get(encoding.name, encoding.name.replace("_", "-"))
    if encoding.guessed:
        warnings.append(f"The file is no UTF-8 and does not say its encoding; {shown} was taken for likely.")
    if encoding.traits.quotes % 2:
        _refuse_open_quote(source, encoding.name, dialect)
    facts = {"encoding": shown, "delimiter": dialect.delimiter, "header": True}
    table = Table(names, iter(()), facts, warnings)
    if not dialect.only_header:
        reader = _Reader(source, names, encoding, dialect, options.on_bad_rows)
        table.blocks, table.again = reader.blocks([]), reader.blocks
    return table


@dataclass(frozen=True)
class _Reader:
    """Reads the rows of a file whose encoding and dialect are known."""

    source: Source
    names: list[str]
    encoding: sniff.Encoding
    dialect: sniff.Dialect
    on_bad_rows: Literal["error", "skip"]

    def blocks(self, columns: list[str]) -> Iterator[Load]:
        """Blocks of the columns named, of all where none is."""
        if self.encoding.name in PARTED and self.encoding.traits.quotes_enclose(self.dialect.delimiter):
            return self._parted(columns)
        return self._in_order(columns)

    def _parted(self, columns: list[str]) -> Iterator[Load]:
        """Each thread parses a stretch of its own, as it is known where rows begin."""
        skipped = {"skip_rows": self.dialect.preamble, "skip_rows_after_names": 1}
        offsets = self.encoding.traits.row_starts
        if any(end - start > BLOCK_BYTES + LONGEST_ROW for start, end in pairwise(offsets)):
            raise _too_long(LONGEST_ROW)
        together = min(MOST_TOGETHER, len(self.names) // WIDE + 1)
        offsets = [*offsets[:-1:together], offsets[-1]]
        for open_stretch, (start, end) in zip(self.source.stretches(offsets), pairwise(offsets), strict=True):
            yield partial(self._parse, open_stretch, end - start, skipped, columns)
            skipped = {}

    def _parse(
        self, open_stretch: Callable[[], pa.NativeFile], size: int, skipped: dict[str, int], columns: list[str]
    ) -> Block:
        try:
            return self._parse_by(PARSED_BYTES, open_stretch, skipped, columns)
        except _StraddlingError:
            return self._parse_by(PARTED[self.encoding.name] * size + 1, open_stretch, skipped, columns)

    def _parse_by(
        self, size: int, open_stretch: Callable[[], pa.NativeFile], skipped: dict[str, int], columns: list[str]
    ) -> Block:
        bad = _BadRows()
        with open_stretch() as stretch, self._faults(bad):
            table = pyarrow.csv.read_csv(stretch, *self._settings(size, bad, skipped, columns))
        return _block(table, bad.count)

    def _in_order(self, columns: list[str]) -> Iterator[Load]:
        """By Arrow's reader of streams, which knows where a row ends since it has read all before it."""
        size = LONGEST_ROW if self.encoding.traits.long_lines else READ_BYTES
        bad, told = _BadRows(), 0
        skipped = {"skip_rows": self.dialect.preamble, "skip_rows_after_names": 1}
        try:
            with self.source.open() as stream, self._faults(bad):
                reader = pyarrow.csv.open_csv(stream, *self._settings(size, bad, skipped, columns))
                while batches := list(islice(reader, max(1, BLOCK_BYTES // size))):
                    left_out, told = bad.count - told, bad.count
                    yield partial(_block, pa.Table.from_batches(batches), left_out)
        except _StraddlingError as exc:
            raise _too_long(size) from exc
        if bad.count > told:
            yield partial(Block, 0, {}, bad.count - told)

    def _settings(
        self, size: int, bad: _BadRows, skipped: dict[str, int], columns: list[str]
    ) -> tuple[pyarrow.csv.ReadOptions, pyarrow.csv.ParseOptions, pyarrow.csv.ConvertOptions]:
        def on_bad_row(row: pyarrow.csv.InvalidRow) -> str:
            bad.count += 1
            bad.first = bad.first or row
            return self.on_bad_rows

        return (
            pyarrow.csv.ReadOptions(
                block_size=size,
                use_threads=False,  # blocks have threads of their own
                encoding=self.encoding.name,
                column_names=self.names,
                **skipped,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                newlines_in_values=self.encoding.traits.quotes > 0,
                ignore_empty_lines=True,
                invalid_row_handler=on_bad_row,
            ),
            pyarrow.csv.ConvertOptions(
                check_utf8=False,  # `sniff.encoding` did, and decoders give nothing else
                column_types=dict.fromkeys(self.names, pa.string()),
                include_columns=columns,
                strings_can_be_null=False,  # `_block` finds the empty ones at less cost
            ),
        )

    @contextmanager
    def _faults(self, bad: _BadRows) -> Iterator[None]:
        try:
            yield
        except pa.ArrowInvalid as exc:
            first = bad.first if self.on_bad_rows == "error" else None
            if first is None and "straddl" in str(exc):
                raise _StraddlingError from exc
            raise self._fault(first) from exc
        except UnicodeError as exc:
            raise FileInvalidError(f"The file is not {self.encoding.name} throughout.") from exc

    def _fault(self, bad: pyarrow.csv.InvalidRow | None) -> FileInvalidError:
        if bad is None:
            return FileInvalidError("The file does not read as CSV from beginning to end.")
        line = _line_of(self.source, self.encoding.name, self.dialect)
        where = f"Line {line}" if line else "A row"
        return FileInvalidError(
            f"{where} has {bad.actual_columns} fields where the header has {bad.expected_columns}; "
            "on_bad_rows=skip leaves such rows out.",
            line=line,
            expected=bad.expected_columns,
            found=bad.actual_columns,
        )


def _too_long(size: int) -> FileInvalidError:
    return FileInvalidError(f"A row is longer than {size >> 20} MiB; perhaps a quote is opened and never closed.")


@dataclass
class _BadRows:
    """Rows with too many or too few fields."""

    count: int = 0
    first: pyarrow.csv.InvalidRow | None = None


class _StraddlingError(Exception):
    """A row is longer than what Arrow parses at a time."""


def _block(table: pa.Table, left_out: int) -> Block:
    """An empty text is no value, quoted or not."""
    columns = {}
    for name, chunks in zip(table.column_names, table.itercolumns(), strict=True):
        texts, rows = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks(), None
        full = filled(texts)
        if not full.all():
            rows = np.flatnonzero(full)
            texts = texts.take(rows)
        columns[name] = (Part(pd.Series(pd.arrays.ArrowExtensionArray(texts), rows), "text"),)
    return Block(table.num_rows, columns, left_out)


def _line_of(source: Source, encoding: str, dialect: sniff.Dialect) -> int | None:
    """The physical line where the first row begins that is not as wide as the header."""
    try:
        for line, _, row in _slowly(source, encoding, dialect):
            if row and len(row) != len(dialect.header):
                return line
    except csv.Error:
        pass  # a field past the csv module's limit: the row is told without its line
    return None


def _refuse_open_quote(source: Source, encoding: str, dialect: sniff.Dialect) -> None:
    """Arrow takes the end of the file for the closing quote; that would swallow all rows after the opening one."""
    next_line = dialect.preamble + 1
    try:
        for _, end, _ in _slowly(source, encoding, dialect, strict=True):
            next_line = end + 1
    except csv.Error as exc:
        if "unexpected end of data" in str(exc):
            raise FileInvalidError(f"A quote opened on line {next_line} is never closed.", line=next_line) from exc


def _slowly(
    source: Source, encoding: str, dialect: sniff.Dialect, *, strict: bool = False
) -> Iterator[tuple[int, int, list[str]]]:
    """Rows by Python's reader, each with its first and last line. Only for telling where a fault is."""
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    with io.TextIOWrapper(source.open(), codec, errors="replace", newline="") as text:
        for _ in range(dialect.preamble):
            text.readline()
        reader = csv.reader(text, delimiter=dialect.delimiter, strict=strict)
        start = dialect.preamble + 1
        for row in reader:
            end = dialect.preamble + reader.line_num
            yield start, end, row
            start = end + 1
