"""Finds the header of a table among the first rows of a file: below titles, in one row or in two.

Used for CSV and workbooks. Each decision is told in a warning, and `header_row` overrides it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

Row = Sequence[str]
"""Cells as texts, an empty one for none."""

MOST_TITLES = 30
"""Rows above a header."""
MOST_CELLS, LEAST_ROWS = 20_000, 12
"""Looked at to find a header."""
FIRST_LIKE_DATA = "The first row, taken as the header, looks like data; `header_row` says which row it is."
YEARS = range(1800, 2200)
SHOWN = 60
UNIT = re.compile(
    r"[(\[]?(°?[CFK]|[%‰€$£°]|[nµumkMG]?(s|m|g|l|L|W|Wh|V|A|Hz|Pa|J|B|bit|bar|mol|N|Ω)|h|min|sec|days?|years?|yr|d|t|in|ft|"
    r"lbs?|oz|mi|mph|km/h|m/s|kn|hPa|cm|dB|ppm|pH|ha|deg|mm|[kmc]?m[²³23]|EUR|USD|GBP|CHF|mg/l|µg/m³|[A-Za-zµ]{1,3}/[A-Za-z0-9²³]{1,3})[)\]]?"
)
"""A row of these below names holds units."""

KINDS = (
    ("day", re.compile(r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T].*)?$")),
    ("number", re.compile(r"[-+(]?[^\w\s]?\s?(\d[\d.,' \xa0\u202f]*|[.,]\d+)([eE][-+]?\d+)?\s?[^\w\s]?\)?$")),
    ("time", re.compile(r"\d{1,2}:\d\d(:\d\d)?$")),
    ("truth", re.compile(r"(true|false)$", re.IGNORECASE)),
)


def kind(cell: str) -> str:
    """The kind of a cell by its look: `number`, `day`, `time`, `truth`, `text`, or empty."""
    cell = cell.strip()
    return next((name for name, pattern in KINDS if pattern.match(cell)), "text") if cell else ""


@dataclass(frozen=True)
class Head:
    """The beginning of a table."""

    header: int | None
    """Place of the row that names the columns; None: there is none, and the first row is data."""
    warnings: tuple[str, ...] = ()
    rows: int = 1
    """2: the row below it is part of the header."""


def find_head(rows: Sequence[Row], lines: Sequence[int], width: int) -> Head:
    """Find the header among the first rows of a file, none of them blank, which stand on those lines.

    `width` is how many fields most rows have.
    """
    rows = rows[: max(LEAST_ROWS, MOST_CELLS // max(1, width))]
    typical = typical_fill(rows)
    at = 0
    while at < min(len(rows) - 1, MOST_TITLES) and _is_title(rows[at], typical, width):
        at += 1
    if any(len(row) < max(width, len(rows[at])) for row in rows[:at]) and not _names_values(rows, at):
        at = 0  # a text of one field is a title only if what follows is a header beyond doubt
    if at and _names_blanks(rows, at - 1, width) and not _is_header(rows[at:]):
        at -= 1  # a header of which most names are blank
    moved = next((n for n in range(at, min(len(rows) - 1, MOST_TITLES)) if _outdoes(rows, n, at, width)), at)
    if moved == at and not _is_header(rows[at:]):
        if _continues(rows[at:]):
            shown = ", ".join(rows[at])[:SHOWN]
            told = (
                f"The first row ({shown}) looks like data, so no row was taken as the header; "
                f"`header_row` {lines[at]} takes it."
            )
            return Head(None, (told,)) if at == 0 else Head(at, (*_tell_titles(lines, at), FIRST_LIKE_DATA))
        if any(_alike(rows[at:], column) for column in range(len(rows[at]))):
            return Head(at, (*_tell_titles(lines, at), FIRST_LIKE_DATA))
    for first in (moved - 1, moved):
        if first >= 0 and (names := _join_two(rows[first:], width)):
            shown = ", ".join(name for name in names if name)[:SHOWN]
            told = f"The header stands in rows {lines[first]} and {lines[first + 1]}, which were joined ({shown})."
            return Head(first, (*_tell_titles(lines, first), told), 2)
    found = list(_tell_titles(lines, moved))
    if moved == at and _heads_twice(rows[at:]):
        found.append(
            f"Row {lines[at + 1]} may be the header, or part of it, beside row {lines[at]}: `header_row` says which."
        )
    return Head(moved, tuple(found))


def join_names(groups: Row, names: Row) -> list[str]:
    """The names of columns in two rows: groups that span several columns over names, or names over units.

    >>> join_names(["", "2023", "", "2024"], ["place", "units", "price", "units"])
    ['place', '2023 units', '2023 price', '2024 units']
    """
    units, joined, group = _are_units(groups, names), [], ""
    for above, below in zip_longest(map(str.strip, groups), map(str.strip, names), fillvalue=""):
        group = above or (group if below else "")
        joined.append(f"{above} ({below})" if units and below else f"{group} {below}".strip())
    return joined


def _join_two(rows: Sequence[Row], width: int) -> list[str]:
    """The joined names if two rows are a header together, and neither is one by itself; else []."""
    if len(rows) < 3:
        return []
    groups, names = rows[0], rows[1]
    below = rows[2:]
    is_text = all(kind(c) in {"text", ""} or _is_year(c) for c in (*groups, *names))
    valued = [c for c in range(width) if body_kind(below, c) not in {"", "text"}]
    if len(groups) != width or len(names) != width or not is_text or not valued:
        return []
    if any(kind(names[c]) != "text" for c in valued if names[c].strip()):
        return []
    joined = join_names(groups, names)
    if len(set(joined)) < width or "" in joined:
        return []
    if _are_units(groups, names):
        return joined if all(names[c].strip() for c in valued if body_kind(below, c) == "number") else []
    if groups[0].strip() and count_filled(groups) < 2:
        return []  # a title
    filled = [name.strip() for name in names if name.strip()]
    is_alone = len(filled) == width and len(set(filled)) == width
    is_grouped = any(not groups[c].strip() or groups[c] == groups[c - 1] for c in range(1, width) if names[c].strip())
    return joined if is_grouped and not is_alone else []


def _are_units(names: Row, units: Row) -> bool:
    """Is each cell below a name a unit, such as °C or kWh?"""
    cells = [cell.strip() for cell in units if cell.strip()]
    return bool(cells) and all(map(UNIT.fullmatch, cells)) and all(map(str.strip, names))


def _tell_titles(lines: Sequence[int], header: int) -> tuple[str, ...]:
    if not header:
        return ()
    return (f"The header was found in row {lines[header]}; the rows above it (a title or notes) were left out.",)


def _names_blanks(rows: Sequence[Row], at: int, width: int) -> bool:
    """Is a row as wide as the table, and are its filled cells texts, none of them the first?"""
    cells = [cell for cell in rows[at] if cell.strip()]
    return len(rows[at]) == width and not rows[at][0].strip() and all(kind(cell) == "text" for cell in cells)


def typical_fill(rows: Sequence[Row]) -> int:
    """How many cells of a row of the table are filled: titles and notes, which have few, are the fewer rows."""
    filled = sorted(map(count_filled, rows))
    return filled[3 * (len(filled) - 1) // 4 + (len(filled) > 1)] if filled else 0


def count_filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_title(row: Row, typical: int, width: int) -> bool:
    """Has it too few cells for a row of the table, as a title has?"""
    filled = count_filled(row)
    if typical < 2:
        return False
    if filled == 1:
        return len(row) < width or bool(row[0].strip()) or typical > 2
    is_labelled = row[0].strip().endswith(":")
    return filled * 2 <= typical and (is_labelled or not all(kind(cell) in {"number", ""} for cell in row[1:]))


def _is_header(rows: Sequence[Row]) -> bool:
    """Is no cell of the first row like a value, but for years over a column of something else?"""
    return not any(
        kind(cell) not in {"", "text"}
        and not (_is_year(cell) and not all(_is_year(c) for c in _cells(rows[1:], column)))
        for column, cell in enumerate(rows[0])
    )


def _is_year(cell: str) -> bool:
    return cell.strip().isdecimal() and int(cell) in YEARS


def _cells(rows: Sequence[Row], column: int) -> list[str]:
    return [row[column] for row in rows if column < len(row) and row[column].strip()]


def _outdoes(rows: Sequence[Row], at: int, first: int, width: int) -> bool:
    """Is a row below the first a header beyond doubt, and the first none?"""
    if at == first or len(rows[at]) != width or any(kind(cell) != "text" for cell in rows[at]):
        return False
    header = rows[first]
    names = [cell.strip() for cell in header if cell.strip()]
    if len(header) == width and len(names) == width and len(set(names)) == width:
        return False
    return _names_values(rows, at)


def _heads_twice(rows: Sequence[Row]) -> bool:
    """Is the second row a text over the values of each column that holds any?"""
    if len(rows) < 4 or any(kind(cell) not in {"text", ""} for cell in rows[1]):
        return False
    typed = [c for c in range(len(rows[0])) if body_kind(rows[2:], c) not in {"", "text"}]
    names = [rows[1][c].strip() for c in typed if c < len(rows[1])]
    return bool(typed) and len(names) == len(typed) and all(kind(n) == "text" and not n[0].isdigit() for n in names)


def _names_values(rows: Sequence[Row], at: int) -> bool:
    """Is a row all texts, and stand values below one of them?"""
    below, row = rows[at + 1 :], rows[at]
    texts = all(kind(cell) in {"text", ""} or _is_year(cell) for cell in row)
    return texts and any(kind(row[c]) and body_kind(below, c) not in {"", "text"} for c in range(len(row)))


def body_kind(rows: Sequence[Row], column: int) -> str:
    """The kind of most cells of a column; `text` where there is none."""
    kinds = Counter(kind(row[column]) for row in rows if column < len(row) and row[column].strip())
    if not kinds:
        return ""
    name, count = kinds.most_common(1)[0]
    return name if count >= 0.8 * kinds.total() else "text"


def _alike(rows: Sequence[Row], column: int) -> bool:
    """Is a column's first cell like those below, and no text?"""
    body = body_kind(rows[1:], column)
    return body not in {"", "text"} and kind(rows[0][column]) == body


def _continues(rows: Sequence[Row]) -> bool:
    """Is the first row like the rows below in every column that holds values? Texts may be like any header."""
    if len(rows) < 2:
        return False
    first = rows[0]
    typed = [c for c in range(len(first)) if body_kind(rows[1:], c) not in {"", "text"}]
    return bool(typed) and all(_alike(rows, c) for c in typed) and not _counts_up(first, typed, len(first))


def _counts_up(row: Row, typed: Sequence[int], width: int) -> bool:
    """Are these the numbers of columns, 0, 1, 2 or 1, 2, 3, rather than values?"""
    cells = [row[c].strip() for c in typed]
    if len(typed) < 3 or not all(cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return all(b - a == 1 for a, b in pairwise(numbers))
