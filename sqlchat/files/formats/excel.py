"""Excel workbooks (.xlsx): one sheet, its first row with values as the header.

The sheet is read by calamine, which lays cells out in a dense rectangle: a single cell in the far corner would take
gigabytes. So sizes in the archive and the corners of the sheets are looked at before.
"""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import python_calamine

from sqlchat.errors import FileInvalidError, TooLargeError
from sqlchat.files.formats import Block, Load, Options, Table, check_width, unique_names
from sqlchat.files.formats.values import parts
from sqlchat.files.source import Source

MAX_UNPACKED = 1 << 30
MAX_RATIO = 100
"""Sheets shrink some ten times; a bomb a thousand times."""

RATIO_APPLIES_FROM = 64 << 20
MAX_PARTS = 10_000
MAX_CELLS = 20_000_000
"""Of the rectangle around all cells; each takes some 30 bytes."""

CELL = re.compile(rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r=[\"']([A-Z]{1,3})(\d{1,7})[\"'][^>]*?(/?)>")
CHUNK = 4 << 20
TAG = 4096
"""Bytes that a cell's tag may take across the border of two chunks."""

BLOCK_CELLS = 500_000


def read(source: Source, options: Options) -> Table:
    """A table of typed values. Raises FileInvalidError for a damaged or locked workbook or an unknown sheet,
    TooLargeError for one out of proportion."""
    _check_archive(source)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(source.path)
        names = workbook.sheet_names
        sheet = workbook.get_sheet_by_index(_sheet_index(names, options.sheet))
    except python_calamine.CalamineError as exc:
        raise FileInvalidError("The file does not read as an Excel workbook; it may be damaged or locked.") from exc
    warnings: list[str] = []
    if len(names) > 1 and options.sheet is None:
        warnings.append(f"Of {len(names)} sheets, the first, {sheet.name!r}, was read.")
    rows = (row for row in sheet.iter_rows() if any(v != "" for v in row))
    header = next(rows, None)
    if header is None:
        raise FileInvalidError(f"The sheet {sheet.name!r} is empty.")
    check_width(len(header))
    columns = unique_names([_label(v) for v in header], warnings)
    return Table(columns, _blocks(rows, columns), {"sheet": sheet.name, "header": True}, warnings)


def _blocks(rows: Iterator[list[Any]], names: list[str]) -> Iterator[Load]:
    size = max(1, BLOCK_CELLS // len(names))
    while block := list(islice(rows, size)):
        yield partial(_block, block, names)


def _block(rows: list[list[Any]], names: list[str]) -> Block:
    columns = zip(*rows, strict=True)
    return Block(len(rows), {n: parts(_cells(c)) for n, c in zip(names, columns, strict=True)})


def _cells(column: tuple[Any, ...]) -> list[Any]:
    """Excel has but floats: whole ones are integers where all of the column are. An empty cell is no value."""
    values = [None if v == "" else v for v in column]
    floats = [v for v in values if type(v) is float]
    if floats and all(v.is_integer() and abs(v) < 2**53 for v in floats):
        values = [int(v) if type(v) is float else v for v in values]
    kinds = set(map(type, values))
    if {datetime.date, datetime.datetime} <= kinds:
        midnight = datetime.time()
        values = [datetime.datetime.combine(v, midnight) if type(v) is datetime.date else v for v in values]
    return values


def _label(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _sheet_index(names: list[str], wanted: str | int | None) -> int:
    if wanted is None and names:
        return 0
    if isinstance(wanted, str) and wanted in names:
        return names.index(wanted)
    number = int(wanted) if wanted is not None and str(wanted).isdecimal() else 0
    if 1 <= number <= len(names):
        return number - 1
    listed = ", ".join(map(repr, names[:20]))
    raise FileInvalidError(f"There is no sheet {wanted!r}; the workbook has {listed or 'none'}.")


def _check_archive(source: Source) -> None:
    """Refuse what unpacks out of proportion, by the archive's own directory and by the cells' addresses."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = archive.infolist()
            unpacked = sum(e.file_size for e in entries)
            if len(entries) > MAX_PARTS or unpacked > MAX_UNPACKED:
                raise TooLargeError(f"The workbook unpacks to {unpacked >> 20:,} MiB, which is more than is read.")
            if unpacked > RATIO_APPLIES_FROM and unpacked > MAX_RATIO * source.size:
                raise TooLargeError(
                    f"The workbook unpacks to {unpacked // source.size:,} times its size; none is read."
                )
            for entry in entries:
                if entry.filename.lower().startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
                    _check_corner(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as exc:
        raise FileInvalidError("The file does not read as an Excel workbook; it may be damaged or locked.") from exc


def _check_corner(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse a sheet whose cells with content span too large a rectangle."""
    right = bottom = 0
    rest = b""
    with archive.open(entry) as sheet:
        while chunk := sheet.read(CHUNK):
            text = rest + chunk
            for column, row, empty in CELL.findall(text):
                if not empty:
                    right, bottom = max(right, _number(column)), max(bottom, int(row))
            if right * bottom > MAX_CELLS:
                raise TooLargeError(
                    f"A sheet has cells as far as row {bottom:,} of column {right:,}; up to {MAX_CELLS:,} cells are "
                    "read. Delete stray cells far from the table, or save it as CSV."
                )
            rest = text[-TAG:]


def _number(letters: bytes) -> int:
    """Of a column: A is 1, XFD is 16384."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
