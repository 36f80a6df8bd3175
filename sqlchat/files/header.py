"""Finds the header of a table among the first rows of a file: below titles, in one row or in two.

CSV and workbooks have the same rules. Each decision gives a warning, and the option `header_row` overrides it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

Row = Sequence[str]
"""Cells as texts; a cell without a value is an empty text."""

MOST_TITLES = 30
"""Rows above a header."""
MOST_CELLS, LEAST_ROWS = 6_000, 12
"""A header is looked for in so many cells, but in no fewer rows."""
FIRST_LIKE_DATA = "The first row, taken as the header, looks like data; `header_row` says which row it is."
YEARS = range(1800, 2200)
SHOWN = 60
UNIT = re.compile(
    r"[(\[]?(°?[CFK]|[%‰€$£°]|[nµumkMG]?(s|m|g|l|L|W|Wh|V|A|Hz|Pa|J|B|bit|bar|mol|N|Ω)|h|min|sec|days?|years?|yr|d|t|in|ft|"
    r"lbs?|oz|mi|mph|km/h|m/s|kn|hPa|cm|dB|ppm|pH|ha|deg|mm|[kmc]?m[²³23]|EUR|USD|GBP|CHF|mg/l|µg/m³|[A-Za-zµ]{1,3}/[A-Za-z0-9²³]{1,3})[)\]]?"
)
"""A row of units below the names of columns."""

IMPORT_ID = re.compile(r"\{\s*[\"']\w+[\"']\s*:.*\}", re.DOTALL)
"""A cell below a question of a survey: `{"ImportId":"QID1"}`."""

KIND = re.compile(
    r"(?P<day>(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[ T].*)?$)|"
    r"(?P<number>[-+(]?[^\w\s]?\s?(?:\d[\d.,' \xa0\u202f]*|[.,]\d+)(?:[eE][-+]?\d+)?\s?[^\w\s]?\)?$)|"
    r"(?P<time>\d{1,2}:\d\d(?::\d\d)?$)|(?P<truth>(?i:true|false)$)"
)


def find_kind(cell: str) -> str:
    """Return the kind of a cell by its look: `number`, `day`, `time`, `truth`, `text`; empty for an empty cell."""
    cell = cell.strip()
    match = KIND.match(cell)
    return (match.lastgroup or "") if match else "text" if cell else ""


@dataclass(frozen=True)
class Head:
    """The beginning of a table."""

    header: int | None
    """Index of the row that names the columns; None: there is no header, and the first row is data."""
    warnings: tuple[str, ...] = ()
    rows: int = 1
    """Rows of the header: 1, 2 that are joined, or 3 of names, descriptions and ids."""


def find_head(rows: Sequence[Row], lines: Sequence[int], width: int) -> Head:
    """Find the header among the first rows of a file.

    `rows` holds no blank rows; `lines` are their line numbers; `width` is the number of fields that most rows have.
    """
    rows = rows[: max(LEAST_ROWS, MOST_CELLS // max(1, width))]
    typical = find_typical_fill(rows)
    at = 0
    while at < min(len(rows) - 1, MOST_TITLES) and _is_title(rows[at], typical, width):
        at += 1
    if any(len(row) < max(width, len(rows[at])) for row in rows[:at]) and not _names_values(rows, at):
        at = 0  # a row of one field is a title only if the next rows are a header beyond doubt
    if at and _names_blanks(rows, at - 1, width) and not _is_header(rows[at:]):
        at -= 1  # most names of the header are blank
    moved = next((n for n in range(at, min(len(rows) - 1, MOST_TITLES)) if _is_better_header(rows, n, at, width)), at)
    if moved == at and not _is_header(rows[at:]):
        if _is_data(rows[at:]):
            shown = ", ".join(rows[at])[:SHOWN]
            warning = (
                f"The first row ({shown}) looks like data, so no row was taken as the header; "
                f"`header_row` {lines[at]} takes it."
            )
            return Head(None, (warning,)) if at == 0 else Head(at, (*_warn_of_titles(lines, at), FIRST_LIKE_DATA))
        if any(_is_like_below(rows[at:], column) for column in range(len(rows[at]))):
            return Head(at, (*_warn_of_titles(lines, at), FIRST_LIKE_DATA))
    if (first := _find_survey(rows)) is not None:
        return Head(first, (*_warn_of_titles(lines, first), _describe_survey(lines[first : first + 3])), 3)
    for first in (moved - 1, moved):
        if first >= 0 and (names := _join_two(rows[first:], width)):
            shown = ", ".join(name for name in names if name)[:SHOWN]
            warning = f"The header stands in rows {lines[first]} and {lines[first + 1]}, which were joined ({shown})."
            return Head(first, (*_warn_of_titles(lines, first), warning), 2)
    warnings = list(_warn_of_titles(lines, moved))
    if moved == at and _has_second_header(rows[at:]):
        warnings.append(
            f"Row {lines[at + 1]} may be the header, or part of it, beside row {lines[at]}: `header_row` says which."
        )
    return Head(moved, tuple(warnings))


def name_columns(header: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Return the names and the descriptions of columns by their header of 1 to 3 rows; [] if it has only names."""
    if len(header) == 2:
        return join_names(*header), []
    return list(header[0]), list(header[1]) if len(header) == 3 else []


def _find_survey(rows: Sequence[Row]) -> int | None:
    """Find the first of three rows of names, descriptions and ids in JSON, as Qualtrics writes them."""
    for at in range(min(len(rows) - 2, MOST_TITLES)):
        ids = [cell.strip() for cell in rows[at + 2] if cell.strip()]
        names = (*rows[at], *rows[at + 1])
        if len(ids) > 1 and all(map(IMPORT_ID.fullmatch, ids)) and _is_all_text(names):
            return None if any(map(IMPORT_ID.fullmatch, names)) else at
    return None


def _describe_survey(lines: Sequence[int]) -> str:
    return (
        f"Row {lines[0]} names the columns, row {lines[1]} describes them (their comments), and row {lines[2]} of "
        f"import ids was left out; `header_row` {lines[0]} makes rows of the table of both."
    )


def join_names(groups: Row, names: Row) -> list[str]:
    """Join the names of columns in two rows: groups of columns over names, or names over units.

    >>> join_names(["", "2023", "", "2024"], ["place", "units", "price", "units"])
    ['place', '2023 units', '2023 price', '2024 units']
    """
    units, joined, group = _are_units(groups, names), [], ""
    for above, below in zip_longest(map(str.strip, groups), map(str.strip, names), fillvalue=""):
        group = above or (group if below else "")
        joined.append(f"{above} ({below})" if units and below else f"{group} {below}".strip())
    return joined


def _join_two(rows: Sequence[Row], width: int) -> list[str]:
    """Join the first two rows if they are a header together and neither is one alone; else return []."""
    if len(rows) < 3:
        return []
    groups, names = rows[0], rows[1]
    below = rows[2:]
    valued = [c for c in range(width) if _has_typed_body(below, c)]
    if len(groups) != width or len(names) != width or not _is_all_text((*groups, *names)) or not valued:
        return []
    if any(find_kind(names[c]) != "text" for c in valued if names[c].strip()):
        return []
    joined = join_names(groups, names)
    if len(set(joined)) < width or "" in joined:
        return []
    if _are_units(groups, names):
        return joined if all(names[c].strip() for c in valued if find_body_kind(below, c) == "number") else []
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


def _warn_of_titles(lines: Sequence[int], header: int) -> tuple[str, ...]:
    if not header:
        return ()
    return (f"The header was found in row {lines[header]}; the rows above it (a title or notes) were left out.",)


def _names_blanks(rows: Sequence[Row], at: int, width: int) -> bool:
    """Is a row as wide as the table, and are its filled cells texts, none of them the first?"""
    cells = [cell for cell in rows[at] if cell.strip()]
    return len(rows[at]) == width and not rows[at][0].strip() and all(find_kind(cell) == "text" for cell in cells)


def find_typical_fill(rows: Sequence[Row]) -> int:
    """Count the filled cells of a typical row: the third quartile, since titles and notes have few."""
    filled = sorted(map(count_filled, rows))
    return filled[3 * (len(filled) - 1) // 4 + (len(filled) > 1)] if filled else 0


def count_filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_title(row: Row, typical: int, width: int) -> bool:
    """Has a row, like a title, fewer filled cells than rows of the table?"""
    filled = count_filled(row)
    if typical < 2:
        return False
    if filled == 1:
        return len(row) < width or bool(row[0].strip()) or typical > 2
    is_labelled = row[0].strip().endswith(":")
    return filled * 2 <= typical and (is_labelled or not all(find_kind(cell) in {"number", ""} for cell in row[1:]))


def _is_header(rows: Sequence[Row]) -> bool:
    """Is each cell of the first row empty, a text, or a year over a column of other things?"""
    return all(
        find_kind(cell) in {"", "text"} or (_is_year(cell) and not all(map(_is_year, _list_values(rows[1:], column))))
        for column, cell in enumerate(rows[0])
    )


def _is_year(cell: str) -> bool:
    return cell.strip().isdecimal() and int(cell) in YEARS


def _list_values(rows: Sequence[Row], column: int) -> list[str]:
    return [row[column] for row in rows if column < len(row) and row[column].strip()]


def _is_better_header(rows: Sequence[Row], at: int, first: int, width: int) -> bool:
    """Is the row `at` surely a header, and the row `first` none?"""
    if at == first or len(rows[at]) != width or any(find_kind(cell) != "text" for cell in rows[at]):
        return False
    header = rows[first]
    names = [cell.strip() for cell in header if cell.strip()]
    if len(header) == width and len(names) == width and len(set(names)) == width:
        return False
    return _names_values(rows, at)


def _has_second_header(rows: Sequence[Row]) -> bool:
    """Has the second row a text over each column of numbers, days, times or truth values?"""
    if len(rows) < 4 or any(find_kind(cell) not in {"text", ""} for cell in rows[1]):
        return False
    typed = [c for c in range(len(rows[0])) if _has_typed_body(rows[2:], c)]
    names = [rows[1][c].strip() for c in typed if c < len(rows[1])]
    return (
        bool(typed) and len(names) == len(typed) and all(find_kind(n) == "text" and not n[0].isdigit() for n in names)
    )


def _names_values(rows: Sequence[Row], at: int) -> bool:
    """Is a row all texts, and do typed values stand below one of them?"""
    below, row = rows[at + 1 :], rows[at]
    return _is_all_text(row) and any(find_kind(row[c]) and _has_typed_body(below, c) for c in range(len(row)))


def _is_all_text(row: Row) -> bool:
    return all(find_kind(cell) in {"text", ""} or _is_year(cell) for cell in row)


def find_body_kind(rows: Sequence[Row], column: int) -> str:
    """Return the kind that 80 % of a column's filled cells have, else `text`; empty if no cell is filled."""
    kinds = Counter(map(find_kind, _list_values(rows, column)))
    if not kinds:
        return ""
    name, count = kinds.most_common(1)[0]
    return name if count >= 0.8 * kinds.total() else "text"


def _has_typed_body(rows: Sequence[Row], column: int) -> bool:
    return find_body_kind(rows, column) not in {"", "text"}


def _is_like_below(rows: Sequence[Row], column: int) -> bool:
    """Is a column's first cell of the kind of the cells below, and no text?"""
    body = find_body_kind(rows[1:], column)
    return body not in {"", "text"} and find_kind(rows[0][column]) == body


def _is_data(rows: Sequence[Row]) -> bool:
    """Is the first row like the rows below in every typed column? Texts may look like any header."""
    if len(rows) < 2:
        return False
    first = rows[0]
    typed = [c for c in range(len(first)) if _has_typed_body(rows[1:], c)]
    is_like_below = bool(typed) and all(_is_like_below(rows, c) for c in typed)
    return is_like_below and not _counts_up([first[c].strip() for c in typed])


def _counts_up(cells: Sequence[str]) -> bool:
    """Are these the numbers of columns, 0, 1, 2 or 1, 2, 3, rather than values?"""
    if len(cells) < 3 or not all(map(str.isdecimal, cells)):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(cells))
