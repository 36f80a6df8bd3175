"""Spreadsheets (.xlsx, .xlsm, .xlsb, .xls, .ods): one sheet of a workbook.

The sheet is read by calamine, which lays cells out in a dense rectangle: a single cell in the far corner would take
gigabytes. So `workbook` looks at sizes in the archive and the corners of the sheets before.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import python_calamine
from python_calamine import SheetMetadata, SheetTypeEnum, SheetVisibleEnum

from sqlchat.errors import FileInvalidError
from sqlchat.files import shape
from sqlchat.files.formats import Block, Load, Table, check_width, unique_names
from sqlchat.files.formats import workbook as archives
from sqlchat.files.formats.values import parts
from sqlchat.files.options import Options
from sqlchat.files.source import Source

BLOCK_CELLS = 500_000
HEAD_ROWS, TAIL_ROWS = 200, 60
SHOWN_SHEETS = 20
EXACT = 10.0**15
"""Workbooks keep numbers below this to the last digit."""
SPAN = re.compile(r"PT(\d+)H(\d\d?)M(\d\d?(?:[.,]\d+)?)S")

Cells = list[Any]


def read(source: Source, options: Options) -> Table:
    """A table of typed values. Raises FileInvalidError for a damaged or locked workbook or an unknown sheet,
    TooLargeError for one out of proportion."""
    archives.check(source)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(source.path)
        metadata = workbook.sheets_metadata
        index = _sheet_index(metadata, options.sheet)
        sheet = workbook.get_sheet_by_index(index)
        if options.sheet is None and sheet.start is None:
            index = next(
                (n for n in _list_visible(metadata) if workbook.get_sheet_by_index(n).start is not None), index
            )
            sheet = workbook.get_sheet_by_index(index)
    except python_calamine.CalamineError as exc:
        raise FileInvalidError("The file does not read as a workbook; it may be damaged or locked.") from exc
    warnings: list[str] = []
    names = [each.name for each in metadata]
    if options.sheet is None and len(names) > 1:
        warnings.append(_tell_sheets(metadata, index))
    least = max(options.skip_rows or 0, (options.header_row or 1) - 1)
    rows = list(islice((each for each in _number_rows(sheet) if each[0] > least), HEAD_ROWS))
    if not rows:
        raise FileInvalidError(f"The sheet {sheet.name!r} is empty.")
    header, header_row = _find_header(rows, sheet.name, options, warnings)
    begin = header_row + 1 if header is not None else header_row
    columns = _names(rows, header, warnings)
    check_width(len(columns))
    foot = _find_foot(sheet, begin, len(columns), options)
    warnings += foot.warnings
    faults = archives.find_faults(source, sheet.name)
    left = sheet.start[1] if sheet.start else 0
    warnings += _tell_faults(faults, columns, begin, left)
    body = (row for number, row in _number_rows(sheet) if number >= begin)
    kept = shape.cut_last(body, foot.cut)
    used = {"sheet": sheet.name, "header_row": header_row if header is not None else 0}
    facts = {"sheet": sheet.name, "sheets": names, "header": header is not None}
    return Table(columns, _blocks(kept, columns, warnings), facts, warnings, used=used)


def _number_rows(sheet: python_calamine.CalamineSheet, count: int | None = None) -> Iterator[tuple[int, Cells]]:
    """Rows that are not blank, with their number as Excel has it; the first `count` if that is given."""
    found = ((n, row) for n, row in enumerate(sheet.iter_rows(), 1) if any(v not in ("", None) for v in row))
    return islice(found, count)


def _find_header(
    rows: list[tuple[int, Cells]], sheet: str, options: Options, warnings: list[str]
) -> tuple[Cells | None, int]:
    """The header and its row, or None and the first row of the table."""
    if options.header_row:
        found = next(((n, row) for n, row in rows if n == options.header_row), None)
        if found is None:
            raise FileInvalidError(
                f"Row {options.header_row} of the sheet {sheet!r} names no columns.", option="header_row"
            )
        return found[1], found[0]
    if options.header_row == 0:
        return None, rows[0][0]
    if options.skip_rows is not None:
        return rows[0][1], rows[0][0]
    texts = [[_as_text(value) for value in row] for _, row in rows]
    numbers = [number for number, _ in rows]
    head = shape.find_head(texts, numbers, len(texts[0]))
    warnings += head.warnings
    if head.header is None:
        return None, numbers[0]
    return rows[head.header][1], numbers[head.header]


def _names(rows: list[tuple[int, Cells]], header: Cells | None, warnings: list[str]) -> list[str]:
    if header is None:
        return unique_names([""] * len(rows[0][1]), [])
    return unique_names([_as_text(value) for value in header], warnings)


def _find_foot(sheet: python_calamine.CalamineSheet, begin: int, width: int, options: Options) -> shape.Foot:
    """Look at the last rows."""
    last: list[Cells] = []
    count = 0
    for number, row in _number_rows(sheet):
        if number >= begin:
            count += 1
            last.append(row)
            if len(last) > 2 * TAIL_ROWS:
                del last[:TAIL_ROWS]
    texts = [[_as_text(value) for value in row] for row in last]
    if width < 2:
        return shape.Foot(0)
    return shape.find_foot(texts, width, options.totals == "drop", whole=count == len(last))


def _tell_faults(faults: list[archives.CellFault], columns: list[str], begin: int, left: int) -> Iterator[str]:
    """What cells without a value are told as, column by column."""
    counts: dict[int, Counter[str]] = {}
    for fault in faults:
        place = fault.column - 1 - left
        if fault.row >= begin and 0 <= place < len(columns):
            counts.setdefault(place, Counter())[fault.what] += 1
    for place, counted in sorted(counts.items()):
        name = columns[place]
        if missing := counted.pop(archives.NO_RESULT, 0):
            yield (
                f"{name!r} has {missing:,} formulas without a stored result, which are nulls here: open the workbook "
                "in Excel or LibreOffice and save it."
            )
        if counted:
            shown = ", ".join(f"{what} ({count:,})" for what, count in counted.most_common(5))
            yield f"{name!r} has {counted.total():,} error cells, which are nulls here: {shown}."


def _tell_sheets(metadata: list[SheetMetadata], index: int) -> str:
    def shown(sheet: SheetMetadata) -> str:
        return repr(sheet.name) + (" (hidden)" if sheet.visible != SheetVisibleEnum.Visible else "")

    others = [shown(sheet) for place, sheet in enumerate(metadata) if place != index]
    more = f" and {len(others) - SHOWN_SHEETS} more" if len(others) > SHOWN_SHEETS else ""
    return (
        f"Of {len(metadata)} sheets, {metadata[index].name!r} was read; the others are "
        f"{', '.join(others[:SHOWN_SHEETS])}{more}, and `sheet` names the one to read."
    )


def _blocks(rows: Iterator[Cells], names: list[str], warnings: list[str]) -> Iterator[Load]:
    size = max(1, BLOCK_CELLS // len(names))
    rounded: set[str] = set()
    while block := list(islice(rows, size)):
        for name, column in zip(names, zip(*block, strict=True), strict=False):
            if name not in rounded and any(type(v) is float and abs(v) >= EXACT and v.is_integer() for v in column):
                rounded.add(name)
                warnings.append(
                    f"{name!r} has numbers of more than 15 digits, which workbooks round: keep ids as text."
                )
        yield partial(_block, block, names)


def _block(rows: list[Cells], names: list[str]) -> Block:
    columns = zip(*rows, strict=True)
    return Block(len(rows), {n: parts(_cells(c)) for n, c in zip(names, columns, strict=False)})


def _cells(column: tuple[Any, ...]) -> Cells:
    """Excel has but floats: whole ones are integers where all of the column are. An empty cell is no value."""
    values = [None if v == "" else (v.strip() or None) if isinstance(v, str) else v for v in column]
    values = [_read_span(v) if isinstance(v, str) and v.startswith("PT") else v for v in values]
    floats = [v for v in values if type(v) is float]
    if floats and all(v.is_integer() and abs(v) < 2**53 for v in floats):
        values = [int(v) if type(v) is float else v for v in values]
    kinds = set(map(type, values))
    if datetime.timedelta in kinds and kinds & {datetime.time, datetime.datetime}:
        values = [_as_span(v) for v in values]
    if {datetime.date, datetime.datetime} <= kinds:
        midnight = datetime.time()
        values = [datetime.datetime.combine(v, midnight) if type(v) is datetime.date else v for v in values]
    return values


def _read_span(text: str) -> Any:
    """A time as an OpenDocument writes it; any other text as it is."""
    found = SPAN.fullmatch(text)
    if found is None:
        return text
    return datetime.timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=float(found[3].replace(",", ".")))


def _as_span(value: Any) -> Any:
    """A time of day among spans of time as one of them."""
    if type(value) is datetime.time:
        return datetime.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value if value is not None else "").strip()


def _list_visible(metadata: list[SheetMetadata]) -> list[int]:
    """Places of the sheets that are not hidden; of all where none is seen."""
    tables = [n for n, each in enumerate(metadata) if each.typ == SheetTypeEnum.WorkSheet]
    return [n for n in tables if metadata[n].visible == SheetVisibleEnum.Visible] or tables


def _sheet_index(metadata: list[SheetMetadata], wanted: str | int | None) -> int:
    names = [each.name for each in metadata]
    if wanted is None and names:
        return (_list_visible(metadata) or [0])[0]
    if isinstance(wanted, str) and wanted in names:
        return names.index(wanted)
    folded = [name.casefold().strip() for name in names]
    if isinstance(wanted, str) and folded.count(wanted.casefold().strip()) == 1:
        return folded.index(wanted.casefold().strip())
    number = int(wanted) if wanted is not None and str(wanted).isdecimal() else 0
    if 1 <= number <= len(names):
        return number - 1
    listed = ", ".join(map(repr, names[:SHOWN_SHEETS]))
    raise FileInvalidError(f"There is no sheet {wanted!r}; the workbook has {listed or 'none'}.")
