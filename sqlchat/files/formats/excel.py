"""Reads one sheet of a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods).

calamine reads the sheet into a dense rectangle of cells: a single cell in the far corner would take gigabytes. So
`workbook` checks the sizes in the archive and the corners of the sheets first.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import python_calamine
from python_calamine import SheetMetadata, SheetTypeEnum, SheetVisibleEnum

from sqlchat.errors import FileInvalidError
from sqlchat.files import footer, header
from sqlchat.files.formats import Block, Load, Part, Table, check_width, make_unique_names
from sqlchat.files.formats import workbook as archives
from sqlchat.files.formats.values import make_parts
from sqlchat.files.names import SHOWN, pick_name, split_words
from sqlchat.files.notations import PERCENT
from sqlchat.files.options import Options
from sqlchat.files.source import Source

BLOCK_CELLS = 500_000
HEAD_ROWS, TAIL_ROWS = 200, 60
EXACT = 10.0**15
"""Workbooks store numbers below this exactly."""
SPAN = re.compile(r"PT(\d+)H(\d\d?)M(\d\d?(?:[.,]\d+)?)S")

CODE_WORDS = {
    *("zip", "zipcode", "postcode", "postal", "plz", "cap", "cp", "phone", "telephone", "tel", "telefon", "mobile"),
    *("fax", "id", "code", "codes", "account", "konto", "iban", "ean", "gtin", "upc", "sku", "isbn", "artikelnummer"),
}
"""Words of names whose numbers may be codes that a format shows with zeros in front."""

Cells = list[Any]


def read(source: Source, options: Options) -> Table:
    """Open a table of typed values.

    Raises FileInvalidError for a damaged or locked workbook or an unknown sheet, TooLargeError for too large a one.
    """
    archives.check(source)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(source.path)
        metadata = workbook.sheets_metadata
        names = [each.name for each in metadata]
        if options.sheet is None:
            visible = _list_visible(metadata)
            index = next((n for n in visible if workbook.get_sheet_by_index(n).start is not None), visible[0])
        else:
            index = pick_name(names, options.sheet, "sheet")
        sheet = workbook.get_sheet_by_index(index)
    except python_calamine.CalamineError as exc:
        raise FileInvalidError("The file does not read as a workbook; it may be damaged or locked.") from exc
    warnings: list[str] = []
    if options.sheet is None and len(names) > 1:
        warnings.append(_tell_sheets(metadata, index))
    least = max(options.skip_rows or 0, options.first_header - 1)
    rows = list(islice((each for each in _number_rows(sheet) if each[0] > least), HEAD_ROWS))
    if not rows:
        raise FileInvalidError(f"The sheet {sheet.name!r} is empty.")
    head, numbers = _find_header(rows, sheet.name, options, warnings)
    begin = numbers[-1] + 1 if head else rows[0][0]
    names_in_head, comments = header.name_columns(head or [[""] * len(rows[0][1])])
    columns = make_unique_names(names_in_head, warnings if head else [])
    check_width(len(columns))
    foot = _find_foot(sheet, begin, len(columns), options)
    warnings += foot.warnings
    cells = archives.find_cell_facts(source, sheet.name, begin)
    left = sheet.start[1] if sheet.start else 0
    names_by_place = dict(enumerate(columns, left + 1))
    warnings += _tell_faults(cells, names_by_place)
    padded = _find_padded(cells, names_by_place, options, warnings)
    notes = dict(zip(columns, comments, strict=False)) | _describe_units(cells, names_by_place, warnings)
    body = _fill_merged(sheet, begin, names_by_place, warnings)
    if len(columns) > 1:
        below = [[_convert_to_text(value) for value in row] for number, row in rows if number >= begin]
        warnings += footer.warn_of_totals_within(
            below if len(rows) == HEAD_ROWS else below[: len(below) - foot.count]
        )
    kept = _drop_headers(footer.cut_last(body, foot.cut), head, warnings)
    used = {"sheet": sheet.name, "header_row": numbers if len(numbers) > 1 else sum(numbers)}
    facts = {"sheet": sheet.name, "sheets": names, "header": bool(head)}
    if not cells.is_complete:
        warnings += _warn_of_hidden_zeros((row for number, row in rows if number >= begin), columns, options)
    blocks = _make_blocks(kept, columns, padded, warnings)
    return Table(columns, blocks, facts, warnings, used=used, comments=notes)


def _number_rows(sheet: python_calamine.CalamineSheet) -> Iterator[tuple[int, Cells]]:
    """Give the rows that are not blank, with their numbers in Excel."""
    return ((n, row) for n, row in enumerate(sheet.iter_rows(), 1) if any(v not in ("", None) for v in row))


def _find_header(
    rows: list[tuple[int, Cells]], sheet: str, options: Options, warnings: list[str]
) -> tuple[list[list[str]], list[int]]:
    """Find the rows of the header, none to three, and their numbers."""
    texts = {number: [_convert_to_text(value) for value in row] for number, row in rows}
    numbers = list(texts)
    if options.header_row:
        named = [options.header_row] if isinstance(options.header_row, int) else list(options.header_row)
        if missing := [number for number in named if number not in texts]:
            raise FileInvalidError(f"Row {missing[0]} of the sheet {sheet!r} names no columns.", option="header_row")
    elif options.header_row == 0:
        named = []
    elif options.skip_rows is not None:
        named = numbers[:1]
    else:
        head = header.find_head(list(texts.values()), numbers, len(texts[numbers[0]]))
        warnings += head.warnings
        named = [] if head.header is None else numbers[head.header : head.header + head.rows]
    return [texts[number] for number in named], named


def _find_foot(sheet: python_calamine.CalamineSheet, begin: int, width: int, options: Options) -> footer.Foot:
    """Find notes and totals in the last rows."""
    last: list[Cells] = []
    count = 0
    for number, row in _number_rows(sheet):
        if number >= begin:
            count += 1
            last.append(row)
            if len(last) > 2 * TAIL_ROWS:
                del last[:TAIL_ROWS]
    texts = [[_convert_to_text(value) for value in row] for row in last]
    if width < 2:
        return footer.Foot(0)
    return footer.find_foot(texts, width, options.totals == "drop", whole=count == len(last))


def _fill_merged(
    sheet: python_calamine.CalamineSheet, begin: int, names: dict[int, str], warnings: list[str]
) -> Iterator[Cells]:
    """Give the rows from `begin` on. A cell merged over several rows has its value in each of them."""
    starts: dict[int, list[tuple[int, int]]] = {}
    merged = Counter[str]()
    left = min(names, default=1) - 1
    for (top, column), (bottom, right) in sheet.merged_cell_ranges or ():
        if begin <= top + 1 <= bottom and column == right and column + 1 in names:
            starts.setdefault(top + 1, []).append((column - left, bottom + 1))
            merged[names[column + 1]] += 1
    for name, count in merged.items():
        warnings.append(f"{name!r} has {count:,} cells merged over several rows; each of those rows has its value.")
    values: dict[int, tuple[int, Any]] = {}
    for number, row in _number_rows(sheet):
        for place, bottom in starts.get(number, ()):
            values[place] = bottom, row[place]
        for place, (bottom, value) in values.items():
            if number <= bottom and row[place] == "":
                row[place] = value
        if number >= begin:
            yield row


def _drop_headers(rows: Iterator[Cells], head: list[list[str]], warnings: list[str]) -> Iterator[Cells]:
    """Drop rows that repeat the header; adds to `warnings`."""
    place = next((n for n, name in enumerate(head[-1]) if name), 0) if head else 0
    repeated = 0
    for row in rows:
        if (
            head
            and _convert_to_text(row[place]) == head[-1][place]
            and [_convert_to_text(value) for value in row] in head
        ):
            repeated += 1
        else:
            yield row
    if repeated:
        warnings.append(f"{repeated:,} rows that repeat the header were left out.")


def _tell_faults(cells: archives.CellFacts, names: dict[int, str]) -> Iterator[str]:
    """Warn of cells without a value, column by column."""
    for place, counted in sorted(cells.faults.items()):
        if place not in names:
            continue
        name = names[place]
        if missing := counted.pop(archives.NO_RESULT, 0):
            yield (
                f"{name!r} has {missing:,} formulas without a stored result, which are nulls here: open the workbook "
                "in Excel or LibreOffice and save it."
            )
        if counted:
            shown = ", ".join(f"{what} ({count:,})" for what, count in counted.most_common(5))
            yield f"{name!r} has {counted.total():,} error cells, which are nulls here: {shown}."


def _find_padded(
    cells: archives.CellFacts, names: dict[int, str], options: Options, warnings: list[str]
) -> dict[str, str]:
    """Find columns of codes that the workbook stores as numbers -> the format that shows their zeros."""
    found = {}
    for place, counts in sorted(cells.formats.items()):
        formats = [each for each in counts if archives.PADDING.fullmatch(each)]
        if place not in names or not formats or options.wanted(names[place]) not in {None, "TEXT"}:
            continue
        if len(counts) == 1:
            found[names[place]] = formats[0]
            warnings.append(f"{names[place]!r} is text, with the zeros in front that its format {formats[0]} shows.")
        else:
            shown = sum(counts[each] for each in formats)
            warnings.append(
                f"{names[place]!r} has {shown:,} numbers that the workbook shows with zeros in front (format "
                f"{formats[0]}); they are read without."
            )
    return found


def _describe_units(cells: archives.CellFacts, names: dict[int, str], warnings: list[str]) -> dict[str, str]:
    """Describe the columns whose numbers all have the format of a unit, which the values do not show."""
    units = {names[place]: counts for place, counts in sorted(cells.formats.items()) if place in names}
    comments = {}
    for name, counts in units.items():
        signs = [each for each in counts if each and not archives.PADDING.fullmatch(each)]
        if len(signs) > 1:
            warnings.append(f"{name!r} mixes numbers that the workbook shows in {' and '.join(sorted(signs))}.")
        elif signs and len(counts) == 1:
            comments[name] = "a share: 0.05 is 5%" if signs == [PERCENT] else f"in {signs[0]}"
    return comments


def _is_code_name(name: str, options: Options) -> bool:
    return options.wanted(name) is None and bool(CODE_WORDS.intersection(split_words(name)))


def _warn_of_hidden_zeros(rows: Iterable[Cells], names: list[str], options: Options) -> Iterator[str]:
    """Warn of columns named like codes if they hold whole numbers of differing lengths, but no 0 or 1."""
    for name, values in zip(names, zip(*rows, strict=True), strict=False):
        numbers = [value for value in values if value not in ("", None)]
        is_whole = all(
            isinstance(value, float | int) and value > 1 and float(value).is_integer() for value in numbers
        )
        if _is_code_name(name, options) and is_whole and len({len(str(int(value))) for value in numbers}) > 1:
            yield (
                f"{name!r} holds numbers of differing lengths. If it holds codes, zeros in front that the workbook "
                "shows by a format cannot be seen in this kind of file: save it as .xlsx."
            )


def _tell_sheets(metadata: list[SheetMetadata], index: int) -> str:
    def shown(sheet: SheetMetadata) -> str:
        return repr(sheet.name) + (" (hidden)" if sheet.visible != SheetVisibleEnum.Visible else "")

    others = [shown(sheet) for place, sheet in enumerate(metadata) if place != index]
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return (
        f"Of {len(metadata)} sheets, {metadata[index].name!r} was read; the others are "
        f"{', '.join(others[:SHOWN])}{more}, and `sheet` names the one to read."
    )


def _make_blocks(
    rows: Iterator[Cells], names: list[str], padded: dict[str, str], warnings: list[str]
) -> Iterator[Load]:
    size = max(1, BLOCK_CELLS // len(names))
    rounded: set[str] = set()
    while block := list(islice(rows, size)):
        for name, column in zip(names, zip(*block, strict=True), strict=False):
            if name not in rounded and any(type(v) is float and abs(v) >= EXACT and v.is_integer() for v in column):
                rounded.add(name)
                warnings.append(
                    f"{name!r} has numbers of more than 15 digits, which workbooks round: keep ids as text."
                )
        yield partial(_make_block, block, names, padded)


def _make_block(rows: list[Cells], names: list[str], padded: dict[str, str]) -> Block:
    columns = zip(*rows, strict=True)
    return Block(
        len(rows),
        {n: _make_column(_convert_cells(c), padded.get(n, "")) for n, c in zip(names, columns, strict=False)},
    )


def _make_column(values: Cells, number_format: str) -> tuple[Part, ...]:
    if not number_format:
        return make_parts(values)
    shown = [archives.show_padded(v, number_format) if type(v) is int and v >= 0 else v for v in values]
    return tuple(replace(part, inferred=None) for part in make_parts(shown))


def _convert_cells(column: tuple[Any, ...]) -> Cells:
    """Convert cells of a column: whole floats are integers if all are whole; an empty cell is None."""
    values = [None if v == "" else (v.strip() or None) if isinstance(v, str) else v for v in column]
    values = [_read_span(v) if isinstance(v, str) and v.startswith("PT") else v for v in values]
    floats = [v for v in values if type(v) is float]
    if floats and all(v.is_integer() and abs(v) < 2**53 for v in floats):
        values = [int(v) if type(v) is float else v for v in values]
    kinds = set(map(type, values))
    if datetime.timedelta in kinds and kinds & {datetime.time, datetime.datetime}:
        values = [_convert_to_span(v) for v in values]
    if {datetime.date, datetime.datetime} <= kinds:
        midnight = datetime.time()
        values = [datetime.datetime.combine(v, midnight) if type(v) is datetime.date else v for v in values]
    return values


def _read_span(text: str) -> Any:
    """Convert a time of an OpenDocument; return any other text unchanged."""
    found = SPAN.fullmatch(text)
    if found is None:
        return text
    return datetime.timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=float(found[3].replace(",", ".")))


def _convert_to_span(value: Any) -> Any:
    """Convert a time of day to a span of time; return any other value unchanged."""
    if type(value) is datetime.time:
        return datetime.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
    return value


def _convert_to_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    return str(value if value is not None else "").strip()


def _list_visible(metadata: list[SheetMetadata]) -> list[int]:
    """List the indexes of the visible sheets, or of others if none is visible."""
    tables = [n for n, each in enumerate(metadata) if each.typ == SheetTypeEnum.WorkSheet]
    return [n for n in tables if metadata[n].visible == SheetVisibleEnum.Visible] or tables or [0]
