"""Reads a workbook for facts that the values do not show: size, empty formulas, errors, formats of numbers."""

from __future__ import annotations

import contextlib
import html
import io
import posixpath
import re
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import IO

import xlrd

from sqlchat.errors import FileInvalidError, TooLargeError
from sqlchat.files.notations import CURRENCY, PERCENT
from sqlchat.files.source import Source

MAX_UNPACKED = 1 << 30
MAX_RATIO = 100
"""Sheets shrink some ten times; a bomb a thousand times."""

RATIO_APPLIES_FROM = 64 << 20
MAX_PARTS = 10_000
MAX_CELLS = 20_000_000
"""Of the rectangle around all cells; each takes some 30 bytes."""

# No tag holds `<`: a pattern that stops there reads a text of nothing but beginnings of tags once, not once for each.
CELL = re.compile(rb"<(?:\w+:)?c\s(?:[^<>]*?\s)?r=[\"']([A-Z]{1,3})(\d{1,7})[\"'][^<>]*?(/?)>")
REPEATED = re.compile(rb"<table:(table-row|table-cell|covered-table-cell)\b([^<>]*)>")
ROWS_REPEATED = re.compile(rb'number-rows-repeated="(\d+)"')
COLUMNS_REPEATED = re.compile(rb'number-columns-repeated="(\d+)"')
SHOWN_NUMBER = re.compile(
    rb"<table:(table-row|table-cell|covered-table-cell|table)(?=[\s/>])([^<>]*)>(?:<text:p>(\d+)</text:p></table:table-cell>)?"
)
"""A cell of an OpenDocument with the digits that it shows, or an element around cells."""
TABLE_NAME = re.compile(rb'table:name="([^"]*)"')
CHUNK = 4 << 20
TAG = 4096
"""Bytes that a cell's tag may take across the border of two chunks."""

FAULT = re.compile(
    rb"<c\s([^<>]*[^/<>])>\s*(<f\b[^<>]*/>|<f\b[^<>]*>[^<]*</f>)?\s*(?:<v\s*/>|<v(?:\s[^<>]*)?>([^<]*)</v>)?\s*</c>"
)
ADDRESS, KIND = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})"), re.compile(rb"\bt=[\"'](\w+)")
SHEET, RELATION = re.compile(r"<(?:\w+:)?sheet\s[^<>]*>"), re.compile(r"<Relationship\s[^<>]*>")
ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
STYLES = "xl/styles.xml"
STYLE, CELL_STYLE = re.compile(rb"\bs=[\"'](\d+)"), re.compile(r"<(?:\w+:)?xf\s[^<>]*>")
NUMBER_FORMAT, PADDING = re.compile(r"<(?:\w+:)?numFmt\s[^<>]*>"), re.compile(r"0[0 -]*0")
LONGEST_INDEX = 4 << 20
NO_RESULT = "no result"
CURRENCY_FORMAT = re.compile(rf"\[\$([^]-]+)|({CURRENCY})")
BUILT_IN_PERCENTS = ("9", "10")
"""Numbers of formats that a workbook need not define."""
ODS_UNIT = re.compile(rb'value-type="(?:percentage"|currency"[^<>]*? office:currency="([A-Z]{3})")')
LARGEST_XLS = 32 << 20
"""Bytes."""


@dataclass(frozen=True)
class CellFacts:
    """Facts of a sheet's cells that their values do not show, by column, from 1."""

    faults: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Cells that hold no value: NO_RESULT for a formula without a result, or the error, `#DIV/0!`."""
    formats: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Numbers by the sign that a format adds: zeros in front (the format, such as 00000), `%`, a currency, none."""
    is_complete: bool = False
    """Are all such facts known? Not of .xlsb, and of no damaged workbook."""


def check(source: Source) -> None:
    """Refuse a workbook that unpacks out of proportion, by the archive's directory and the cells' addresses.

    Raises TooLargeError, and FileInvalidError for a damaged archive; a workbook that is none (.xls) passes.
    """
    if source.head(2) != b"PK":
        return
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
                name = entry.filename.lower()
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    _check_corner(archive, entry)
                elif name.startswith("xl/worksheets/") and name.endswith(".bin"):
                    _check_binary(archive, entry)
                elif name == "content.xml":
                    _check_repeated(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as exc:
        raise FileInvalidError("The file does not read as a workbook; it may be damaged or locked.") from exc


def _make_width_error(right: int, bottom: int) -> TooLargeError:
    return TooLargeError(
        f"A sheet has cells as far as row {bottom:,} of column {right:,}; up to {MAX_CELLS:,} cells are "
        "read. Delete stray cells far from the table, or save it as CSV."
    )


def _check_corner(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse a sheet whose cells with content span too large a rectangle."""
    right = bottom = 0
    rest = b""
    with archive.open(entry) as sheet:
        while chunk := sheet.read(CHUNK):
            text = rest + chunk
            for column, row, empty in CELL.findall(text):
                if not empty:
                    right, bottom = max(right, _number_column(column)), max(bottom, int(row))
            if right * bottom > MAX_CELLS:
                raise _make_width_error(right, bottom)
            rest = text[-TAG:]


def _check_binary(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Check a sheet of .xlsb: records of a type, a length and content; cells have types 1 to 11."""
    data = archive.read(entry)
    at = right = bottom = 0
    while at < len(data):
        kind, at = _read_variable_number(data, at, 2)
        size, at = _read_variable_number(data, at, 4)
        if kind == 0 and size >= 4:
            bottom = max(bottom, int.from_bytes(data[at : at + 4], "little") + 1)
        elif 1 <= kind <= 11 and size >= 4:
            right = max(right, int.from_bytes(data[at : at + 4], "little") + 1)
        at += size
    if right * bottom > MAX_CELLS:
        raise _make_width_error(right, bottom)


def _read_variable_number(data: bytes, at: int, longest: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and the offset behind it."""
    value = 0
    for place in range(longest):
        byte = data[at] if at < len(data) else 0
        at += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return value, at


def _check_repeated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Check an OpenDocument: cells with content may be repeated, and rows of them."""
    cells, rows = 0, 1
    with archive.open(entry) as content:
        for text in _split_content(content):
            for tag, attributes in REPEATED.findall(text):
                if tag == b"table-row":
                    rows = _count_repeated(ROWS_REPEATED, attributes)
                elif b"value" in attributes:
                    cells += rows * _count_repeated(COLUMNS_REPEATED, attributes)
            if cells > MAX_CELLS:
                raise TooLargeError(f"A sheet has more than {MAX_CELLS:,} cells, which is more than is read.")


def find_cell_facts(source: Source, sheet: str, first_row: int) -> CellFacts:
    """Find the facts of the cells of a sheet from a row on."""
    facts = CellFacts()
    with contextlib.suppress(
        Exception
    ):  # damaged workbooks raise errors of many kinds, also after calamine read them
        if source.head(2) != b"PK":
            _read_xls(source, sheet, first_row, facts)
            return replace(facts, is_complete=True)
        with zipfile.ZipFile(source.path) as archive:
            if part := _find_sheet_file(archive, sheet):
                _read_cells(archive, part, _list_styles(archive), first_row, facts)
            elif "content.xml" in archive.namelist():
                _read_shown_numbers(archive, sheet, first_row, facts)
            else:
                return facts
            return replace(facts, is_complete=True)
    return facts


def _read_xls(source: Source, sheet: str, first_row: int, facts: CellFacts) -> None:
    if source.size > LARGEST_XLS:
        raise TooLargeError("Reading the formats of so large a workbook takes too long.")
    book = xlrd.open_workbook(source.path, logfile=io.StringIO(), formatting_info=True, on_demand=True)
    styles = [_name_format(book.format_map[style.format_key].format_str) for style in book.xf_list]
    cells = book.sheet_by_name(sheet)
    for row in range(first_row - 1, cells.nrows):
        for column, cell in enumerate(cells.row(row), 1):
            if cell.ctype == xlrd.XL_CELL_NUMBER:
                facts.formats[column][styles[cell.xf_index]] += 1
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                facts.faults[column][xlrd.error_text_from_code.get(cell.value, "#ERROR!")] += 1


def _name_format(code: str) -> str:
    """Return the sign that a format adds to a number: itself if it shows zeros in front, `%`, a currency, or ""."""
    shown = re.sub(r"[\\\"]", "", code.partition(";")[0])
    if PADDING.fullmatch(shown):
        return shown
    if match := CURRENCY_FORMAT.search(re.sub(r"\[(?!\$)[^]]*\]", "", shown)):
        return match[1] or match[2]
    return PERCENT if PERCENT in shown else ""


def _read_shown_numbers(archive: zipfile.ZipFile, sheet: str, first_row: int, facts: CellFacts) -> None:
    """Add the columns of an OpenDocument that show zeros in front of numbers. Its cells hold the shown digits."""
    shown: dict[int, Counter[bytes]] = defaultdict(Counter)
    is_sheet, row, rows, column = False, 0, 0, 0
    with archive.open("content.xml") as content:
        for text in _split_content(content):
            for tag, attributes, digits in SHOWN_NUMBER.findall(text):
                if tag == b"table":
                    name = TABLE_NAME.search(attributes)
                    is_sheet = name is not None and html.unescape(name[1].decode()) == sheet
                    row = rows = 0
                elif tag == b"table-row":
                    row, rows, column = row + rows, _count_repeated(ROWS_REPEATED, attributes), 0
                else:
                    if is_sheet and row + 1 >= first_row and b'value-type="float"' in attributes:
                        shown[column + 1][digits] += rows
                    elif is_sheet and row + 1 >= first_row and (unit := ODS_UNIT.search(attributes)):
                        facts.formats[column + 1][unit[1].decode() if unit[1] else PERCENT] += rows
                    column += _count_repeated(COLUMNS_REPEATED, attributes)
    for place, texts in shown.items():
        widths = {len(digits) for digits in texts if len(digits) > 1 and digits.startswith(b"0")}
        for digits, count in texts.items() if widths else ():
            is_shown_so = len(widths) == 1 and len(digits) >= min(widths)
            facts.formats[place]["0" * min(widths) if is_shown_so else ""] += count


def _split_content(content: IO[bytes]) -> Iterator[bytes]:
    """Give the content of an OpenDocument in pieces that end before a row or a cell."""
    rest = b""
    while chunk := content.read(CHUNK):
        text = rest + chunk
        cut = max(text.rfind(b"<table:"), 0)
        yield text[:cut]
        rest = text[cut:]
    yield rest


def _count_repeated(pattern: re.Pattern[bytes], attributes: bytes) -> int:
    match = pattern.search(attributes)
    return int(match[1]) if match else 1


def show_padded(number: int, number_format: str) -> str:
    """Write a number as its format shows it: 12345678 by 000-00-0000 is 012-34-5678."""
    digits = iter(str(number).zfill(number_format.count("0"))[::-1])
    shown = [next(digits) if sign == "0" else sign for sign in reversed(number_format)]
    return "".join(reversed([*shown, *digits]))


def _list_styles(archive: zipfile.ZipFile) -> dict[bytes, str]:
    """Return the number of a cell's style -> the sign that it adds to a number, for styles that add one."""
    if STYLES not in archive.namelist():
        return {}
    text = _read_text(archive, STYLES)
    formats: dict[str | None, str] = dict.fromkeys(BUILT_IN_PERCENTS, PERCENT)
    for each in map(_read_attributes, NUMBER_FORMAT.findall(text)):
        formats[each.get("numFmtId")] = _name_format(each.get("formatCode", ""))
    styles = CELL_STYLE.findall(text.partition("<cellXfs")[2].partition("</cellXfs>")[0])
    named = [formats.get(_read_attributes(style).get("numFmtId")) for style in styles]
    return {str(number).encode(): code for number, code in enumerate(named) if code}


def _find_sheet_file(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Find the file of a sheet in the archive."""
    names = set(archive.namelist())
    index, relations = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {index, relations} <= names:
        return None
    sheets = [_read_attributes(tag) for tag in SHEET.findall(_read_text(archive, index))]
    key = next((each.get("r:id") for each in sheets if each.get("name") == sheet), None)
    targets = {
        each.get("Id"): each.get("Target", "")
        for each in map(_read_attributes, RELATION.findall(_read_text(archive, relations)))
    }
    target = targets.get(key, "")
    path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    return path if path in names and path.endswith(".xml") else None


def _read_text(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as part:
        return part.read(LONGEST_INDEX).decode("utf-8", "replace")


def _read_attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(one or other) for name, one, other in ATTRIBUTE.findall(tag)}


def _read_cells(
    archive: zipfile.ZipFile, part: str, styles: dict[bytes, str], first_row: int, facts: CellFacts
) -> None:
    rest = b""
    with archive.open(part) as sheet:
        while chunk := sheet.read(CHUNK):
            text = rest + chunk
            cut = text.rfind(b"</c>") + len(b"</c>")
            for attributes, formula, value in FAULT.findall(text[:cut]):
                kind, address = KIND.search(attributes), ADDRESS.search(attributes)
                if address is None or int(address[2]) < first_row:
                    continue
                column = _number_column(address[1])
                if kind is not None and kind[1] == b"e":
                    facts.faults[column][value.decode("utf-8", "replace")[:20] or NO_RESULT] += 1
                elif formula and not value.strip() and not (kind and kind[1] == b"str"):
                    facts.faults[column][NO_RESULT] += 1
                elif styles and (kind is None or kind[1] == b"n"):
                    style = STYLE.search(attributes)
                    facts.formats[column][styles.get(style[1], "") if style else ""] += 1
            rest = text[cut:][-CHUNK:]


def _number_column(letters: bytes) -> int:
    """Return the number of a column: A is 1, XFD is 16384."""
    return reduce(lambda number, letter: number * 26 + letter - ord("A") + 1, letters, 0)
