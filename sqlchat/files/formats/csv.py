"""CSV and its kin: any delimiter, quoting and encoding that `sniff` tells apart, read in blocks by Arrow."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from sqlchat.errors import FileInvalidError
from sqlchat.files import sniff
from sqlchat.files.formats import BLOCK_BYTES, Block, Options, Part, Table, unique_names
from sqlchat.files.source import Source

SHORT_BLOCK = 1 << 20
"""Arrow reads 32 blocks ahead, so small ones keep memory low; a row must fit in one."""

LONGEST_ROW = 16 << 20
"""Block of a file that has long lines."""

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
    if encoding.quotes % 2:
        _refuse_open_quote(source, encoding.name, dialect)
    facts = {"encoding": shown, "delimiter": dialect.delimiter, "header": True}
    table = Table(names, iter(()), facts, warnings)
    if not dialect.only_header:
        table.blocks = _blocks(source, options, encoding, dialect, table)
        table.again = lambda columns: _blocks(source, options, encoding, dialect, table, again=columns)
    return table


def _blocks(
    source: Source,
    options: Options,
    encoding: sniff.Encoding,
    dialect: sniff.Dialect,
    table: Table,
    *,
    again: list[str] | None = None,
) -> Iterator[Block]:
    """All columns; or those that are read `again`, when what is wrong with the rows is told already."""
    size = LONGEST_ROW if encoding.long_lines else SHORT_BLOCK
    bad: list[pyarrow.csv.InvalidRow] = []
    count = 0

    def on_bad_row(row: pyarrow.csv.InvalidRow) -> str:
        nonlocal count
        count += 1
        bad[:] = bad or [row]
        return options.on_bad_rows

    with source.open() as stream:
        try:
            reader = pyarrow.csv.open_csv(
                stream,
                pyarrow.csv.ReadOptions(
                    block_size=size,
                    use_threads=False,  # threads are better spent on the columns of a block
                    encoding=encoding.name,
                    column_names=table.names,
                    skip_rows=dialect.preamble,
                    skip_rows_after_names=1,
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=dialect.delimiter,
                    newlines_in_values=encoding.quotes > 0,
                    ignore_empty_lines=True,
                    invalid_row_handler=on_bad_row,
                ),
                pyarrow.csv.ConvertOptions(
                    check_utf8=False,  # `sniff.encoding` did, and decoders give nothing else
                    column_types=dict.fromkeys(table.names, pa.string()),
                    include_columns=again or [],
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
            while batches := list(islice(reader, max(1, BLOCK_BYTES // size))):
                yield _block(pa.Table.from_batches(batches).combine_chunks())
        except pa.ArrowInvalid as exc:
            if not bad and "straddl" in str(exc):
                raise FileInvalidError(
                    f"A row is longer than {size >> 20} MiB; perhaps a quote is opened and never closed."
                ) from exc
            raise _fault(bad, source, encoding.name, dialect) from exc
        except UnicodeError as exc:
            raise FileInvalidError(f"The file is not {encoding.name} throughout.") from exc
    if count and again is None:
        table.warnings.append(f"{count:,} rows had too many or too few fields and were left out.")


def _block(table: pa.Table) -> Block:
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    texts = {str(n): frame[n].dropna() if table[n].null_count else frame[n] for n in frame.columns}
    return Block(table.num_rows, {name: (Part(values, "text"),) for name, values in texts.items()})


def _fault(bad: list[Any], source: Source, encoding: str, dialect: sniff.Dialect) -> FileInvalidError:
    if bad:
        expected, found = bad[0].expected_columns, bad[0].actual_columns
        line = _line_of(source, encoding, dialect)
        where = f"Line {line}" if line else "A row"
        return FileInvalidError(
            f"{where} has {found} fields where the header has {expected}; on_bad_rows=skip leaves such rows out.",
            line=line,
            expected=expected,
            found=found,
        )
    return FileInvalidError("The file does not read as CSV from beginning to end.")


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
