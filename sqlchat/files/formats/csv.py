"""Reads CSV and similar text tables with any delimiter, quoting and encoding. Arrow parses them."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from sqlchat.errors import FileInvalidError
from sqlchat.files import dialect as dialects
from sqlchat.files import footer
from sqlchat.files.encodings import Encoding, find_encoding
from sqlchat.files.formats import BLOCK_BYTES, Block, Load, Part, Table, make_unique_names
from sqlchat.files.options import Options
from sqlchat.files.sketch import find_filled, has_blank, list_outer_bytes
from sqlchat.files.source import Source

PARSED_BYTES = 1 << 20
"""Bytes of a stretch that Arrow parses at a time; they fit into the processor's caches."""

LONGEST_ROW = 16 << 20
"""Bytes."""

WIDE, MOST_TOGETHER = 250, 4
"""Blocks of a table with `WIDE` columns have few rows: two blocks are read together, three for twice the columns."""

BLOCK_FIELDS = 500_000
"""Fields of a block if rows are read one by one."""

LONGEST_IN_UTF8 = 3
"""Bytes that a character of an 8-bit encoding takes in UTF-8 at most."""

NAMES = {
    "utf-8": "utf-8",
    "cp1252": "windows-1252",
    "latin_1": "iso-8859-1",
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
}
"""Usual names of encodings that differ from Python's."""


def read(source: Source, options: Options) -> Table:
    """Open a text table; its parts are texts.

    Raises FileInvalidError with the fact `line` for a ragged row or a quote left open, and UnsupportedMediaError for
    content that is no text table.
    """
    encoding = find_encoding(source, options.encoding)
    head = codecs.getincrementaldecoder(encoding.name)("replace").decode(source.head(dialects.HEAD_BYTES))
    dialects.refuse_other(head)
    whole = len(source.head(dialects.HEAD_BYTES + 1)) <= dialects.HEAD_BYTES
    tail = "" if whole else source.tail(dialects.TAIL_BYTES).decode(encoding.name, "replace")
    dialect = dialects.find_dialect(head.removeprefix("\ufeff"), tail, source.suffix, options, whole=whole)
    encoding_name = NAMES.get(encoding.name, encoding.name.replace("_", "-"))
    warnings = [*_warn_of_encoding(encoding, encoding_name), *dialect.warnings]
    names = make_unique_names(dialect.names, warnings if dialect.header else [])
    reader = _Reader(source, names, encoding, dialect, options.on_bad_rows, warnings)
    if encoding.traits.quotes:
        reader.check_quotes()
    detected = {"encoding": encoding_name, "delimiter": dialect.delimiter}
    facts = {**detected, "header": bool(dialect.header)}
    used = {**detected, "header_row": list(dialect.header) if len(dialect.header) > 1 else sum(dialect.header)}
    comments = dict(zip(names, dialect.comments, strict=False))
    table = Table(names, iter(()), facts, warnings, used=used, comments=comments, scan=encoding.traits)
    if not dialect.only_header:
        table.blocks, table.again = reader.blocks([], is_first=source.scan is None), reader.blocks
    return table


def _warn_of_encoding(encoding: Encoding, name: str) -> Iterator[str]:
    if encoding.guessed:
        yield f"The file is no UTF-8 and does not say its encoding; {name} was taken for likely."
    if encoding.bad_bytes:
        lines = ", ".join(map(str, encoding.bad_lines))
        yield (
            f"{encoding.bad_bytes:,} bytes are no UTF-8 and were read as \ufffd (line {lines}); if the file has "
            "another encoding, name it in `encoding`."
        )


@dataclass(frozen=True)
class _Reader:
    """Reads the rows of a file whose encoding and dialect are known."""

    source: Source
    names: list[str]
    encoding: Encoding
    dialect: dialects.Dialect
    on_bad_rows: Literal["error", "skip", "pad"]
    warnings: list[str]

    def blocks(self, columns: list[str], *, is_first: bool = False) -> Iterator[Load]:
        """Give the blocks of the named columns, or of all columns if the list is empty."""
        read = self._read_stretches if self._is_plain else self._read_row_by_row
        return read(columns, is_first)

    @property
    def _is_plain(self) -> bool:
        """Can Arrow read the file without changing its meaning?"""
        return (
            self.dialect.quoting.is_usual
            and not self.dialect.cut
            and not self.dialect.ragged
            and not self.dialect.repeated
            and not self.encoding.bad_bytes
            and self.encoding.has_single_byte_marks
            and self.encoding.traits.quotes_enclose(self.dialect.delimiter)
            and self.on_bad_rows != "pad"
        )

    def _read_row_by_row(self, columns: list[str], is_first: bool) -> Iterator[Load]:
        """Read with Python's reader, which is slower than Arrow but takes more options."""
        places = {name: self.names.index(name) for name in columns or self.names}
        rows = self._table_rows()
        size = max(1, BLOCK_FIELDS // len(self.names))
        while block := list(islice(rows, size)):
            yield partial(self._make_block_of_rows, block, places, is_first)

    def _make_block_of_rows(self, block: list[list[str] | None], places: dict[str, int], is_first: bool) -> Block:
        rows = [row for row in block if row is not None]
        arrays = [pa.array([row[place] for row in rows], pa.string()) for place in places.values()]
        return self._make_block(pa.table(arrays, list(places)), len(block) - len(rows), is_first)

    def _make_block(self, table: pa.Table, left_out: int, is_first: bool) -> Block:
        columns, padded = {}, self.encoding.traits.padded
        for name, chunks in zip(table.column_names, table.itercolumns(), strict=True):
            texts = chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks()
            columns[name] = (_make_part(self._strip(name, texts) if is_first or name in padded else texts),)
        return Block(table.num_rows, columns, left_out)

    def _strip(self, name: str, texts: pa.Array) -> pa.Array:
        """Remove Excel's ="..." and outer blanks, and note the column if it has any."""
        outer = list_outer_bytes(texts)
        if has_formulas := bool((outer == ord("=")).any()):
            texts = pc.replace_substring_regex(texts, r'(?s)^\s*="(.*)"\s*$', r"\1")
        if has_formulas or has_blank(outer):
            self.encoding.traits.padded.add(name)
            texts = pc.utf8_trim_whitespace(texts)
        return texts

    def _table_rows(self) -> Iterator[list[str] | None]:
        """Give the rows of the table, as wide as its header; None for a row that is left out."""
        width, padded, first, repeated = len(self.names), 0, 0, 0
        filled_rows = (row for row in self._rows() if row.cells)
        for row in footer.cut_last(filled_rows, self.dialect.cut):
            if row.cells in self.dialect.repeated:
                repeated += 1
                continue
            cells = dialects.fit_width(row.cells, width)
            if len(cells) < width and self.on_bad_rows == "pad":
                padded, first = padded + 1, first or row.first
                cells += [""] * (width - len(cells))
            if len(cells) == width:
                yield cells
            elif self.on_bad_rows == "skip":
                yield None
            else:
                raise self._make_row_error(row.first, len(cells))
        if padded:
            self._warn_once(
                f"{padded:,} rows had too few fields and were filled up with nulls (the first on line {first})."
            )
        if repeated:
            self._warn_once(f"{repeated:,} rows that repeat the header were left out.")

    def _warn_once(self, warning: str) -> None:
        """Add a warning unless an earlier reading of the same rows added it."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _rows(self, *, strict: bool = False) -> Iterator[dialects.Row]:
        """Give all rows below the header, also blank ones. Raises FileInvalidError for bad bytes or a long row."""
        codec = "utf-8-sig" if self.encoding.name == "utf-8" else self.encoding.name
        on_error = "replace" if self.encoding.bad_bytes or strict else "strict"
        with io.TextIOWrapper(self.source.open(), codec, errors=on_error, newline="") as text:
            for _ in range(self.dialect.preamble):
                text.readline()
            rows = dialects.split_rows(
                text, self.dialect.delimiter, self.dialect.quoting, self.dialect.preamble + 1, strict=strict
            )
            for _ in self.dialect.header:
                next(row for row in rows if row.cells)
            try:
                yield from rows
            except UnicodeError as exc:
                raise FileInvalidError(f"The file is not {self.encoding.name} throughout.") from exc
            except dialects.RowError as exc:
                if strict:
                    raise
                raise _make_long_row_error(dialects.LONGEST_FIELD) from exc

    def check_quotes(self) -> None:
        """Raise FileInvalidError for a quote that is never closed, which would swallow all rows after it."""
        traits = self.encoding.traits
        if self.dialect.quoting.is_usual and traits.quotes % 2 == 0 and traits.quotes_enclose(self.dialect.delimiter):
            return
        try:
            for _ in self._rows(strict=True):
                pass
        except dialects.RowError as exc:
            line = exc.first
            if "unexpected end" in str(exc) or "field limit" in str(exc):
                raise FileInvalidError(f"A quote opened on line {line} is never closed.", line=line) from exc
            if exc.last > line or traits.quotes % 2:
                raise FileInvalidError(
                    f"The quotes on line {line} do not close as they open; within a quoted text a quote is doubled.",
                    line=line,
                ) from exc
            self.warnings.append(f"Quotes on line {line} stand where none is expected; look at that row.")

    def _read_stretches(self, columns: list[str], is_first: bool) -> Iterator[Load]:
        """Give one load for each stretch of the file. Rows begin at known bytes, so threads parse in parallel."""
        skipped = {"skip_rows": self.dialect.preamble, "skip_rows_after_names": len(self.dialect.header)}
        offsets = self.encoding.traits.row_starts
        if any(end - start > BLOCK_BYTES + LONGEST_ROW for start, end in pairwise(offsets)):
            raise _make_long_row_error(LONGEST_ROW)
        together = min(MOST_TOGETHER, len(self.names) // WIDE + 1)
        offsets = [*offsets[:-1:together], offsets[-1]]
        for start, end in pairwise(offsets):
            yield partial(self._parse, start, end, skipped, columns, is_first)
            skipped = {}

    def _parse(
        self,
        start: int,
        end: int,
        skipped: dict[str, int],
        columns: list[str],
        is_first: bool,
    ) -> Block:
        try:
            table, left_out = self._parse_in_pieces(PARSED_BYTES, start, end, skipped, columns)
        except _StraddlingError:
            growth = 1 if self.encoding.name == "utf-8" else LONGEST_IN_UTF8
            table, left_out = self._parse_in_pieces(growth * (end - start) + 1, start, end, skipped, columns)
        return self._make_block(table, left_out, is_first)

    def _parse_in_pieces(
        self, piece_bytes: int, start: int, end: int, skipped: dict[str, int], columns: list[str]
    ) -> tuple[pa.Table, int]:
        """Parse a stretch. Returns the rows, and the number of rows left out."""
        bad_widths = list[int]()  # fields of each wrong row

        def on_bad_row(row: pyarrow.csv.InvalidRow) -> str:
            bad_widths.append(row.actual_columns)
            return self.on_bad_rows

        read = pyarrow.csv.ReadOptions(
            block_size=piece_bytes,
            use_threads=False,  # blocks have threads of their own
            encoding=self.encoding.name,
            column_names=self.names,
            **skipped,
        )
        parse = pyarrow.csv.ParseOptions(
            delimiter=self.dialect.delimiter,
            newlines_in_values=self.encoding.traits.quotes > 0,
            ignore_empty_lines=True,
            invalid_row_handler=on_bad_row,
        )
        convert = pyarrow.csv.ConvertOptions(
            check_utf8=False,  # `encodings` did, and decoders give only UTF-8
            column_types=dict.fromkeys(self.names, pa.string()),
            include_columns=columns,
            strings_can_be_null=False,  # `_make_part` finds the empty ones at less cost
        )
        try:
            with self.source.open_stretch(start, end) as stretch:
                return pyarrow.csv.read_csv(stretch, read, parse, convert), len(bad_widths)
        except pa.ArrowInvalid as exc:
            if bad_widths and self.on_bad_rows == "error":
                raise self._make_row_error(self._find_bad_line(), bad_widths[0]) from exc
            if "straddl" in str(exc):
                raise _StraddlingError from exc
            raise FileInvalidError("The file does not read as CSV from beginning to end.") from exc
        except UnicodeError as exc:
            raise FileInvalidError(f"The file is not {self.encoding.name} throughout.") from exc

    def _make_row_error(self, line: int | None, fields: int) -> FileInvalidError:
        width = len(self.names)
        where = f"Line {line}" if line else "A row"
        pad = "; on_bad_rows=pad fills it up" if fields < width else ""
        return FileInvalidError(
            f"{where} has {fields} fields where the header has {width}; on_bad_rows=skip leaves such rows out{pad}.",
            line=line,
            expected=width,
            found=fields,
        )

    def _find_bad_line(self) -> int | None:
        """Return the physical line of the first row that is not as wide as the header."""
        width = len(self.names)
        try:
            return next((row.first for row in self._rows() if row.cells and len(row.cells) != width), None)
        except FileInvalidError:
            return None  # a field is past the csv module's limit: the error goes without a line


def _make_long_row_error(size: int) -> FileInvalidError:
    return FileInvalidError(f"A row is longer than {size >> 20} MiB; perhaps a quote is opened and never closed.")


class _StraddlingError(Exception):
    """A row is longer than the piece that Arrow parses at a time."""


def _make_part(texts: pa.Array) -> Part:
    """Make a part without empty texts (quoted or not)."""
    filled, rows = find_filled(texts), None
    if not filled.all():
        rows = np.flatnonzero(filled)
        texts = texts.take(rows)
    return Part(texts, rows, "text")
