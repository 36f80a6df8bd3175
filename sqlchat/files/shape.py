"""Where a table begins and ends among the rows of a file: titles above it, its header, totals and notes below it.

Used by the formats that have no header of their own, CSV and Excel. Only what leaves no doubt is decided, and all of
it is told.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

R = TypeVar("R")

Row = Sequence[str]
"""Cells as texts, an empty one for none."""

MOST_TITLES = 30
"""Rows above a header."""
MOST_NOTES = 30
"""Rows below a table."""
MOST_CELLS, LEAST_ROWS = 20_000, 12
"""Looked at to find a header."""
FIRST_LIKE_DATA = "The first row, taken as the header, looks like data; `header_row` says which row it is."
YEARS = range(1800, 2200)
SHOWN = 60

KINDS = (
    ("number", re.compile(r"[-+(]?[^\w\s]?\s?(\d[\d.,' \xa0\u202f]*|[.,]\d+)([eE][-+]?\d+)?\s?[^\w\s]?\)?$")),
    ("day", re.compile(r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T].*)?$")),
    ("time", re.compile(r"\d{1,2}:\d\d(:\d\d)?$")),
    ("truth", re.compile(r"(true|false)$", re.IGNORECASE)),
)
TOTAL = re.compile(
    r"(grand[ -]?|sub[ -]?|overall )?(totals?|sums?|summe|gesamt|gesamtsumme|insgesamt|zwischensumme|somme|suma|"
    r"totale|totaal|итого|всего|celkem|razem|suma|összesen|toplam|yhteensä|totalt|summa|合计|总计|合計|小计|average|mean|"
    r"durchschnitt|mittelwert|moyenne|media|promedio)\b.{0,30}$",
    re.IGNORECASE,
)
NOTE = re.compile(
    r"(sources?|notes?|quellen?|stand|hinweis|anmerkung(en)?|fuentes?|notas?|fonte|remarks?|comments?|disclaimer|copyright|"
    r"generated|exported|created|printed|prepared|downloaded|last updated?|updated|as of|data (from|source)|"
    r"erstellt|abgerufen|end of|total rows|rows?:|page \d|confidential|legend|key:)\b|[*†‡©#(\[]|\d\)|https?://",
    re.IGNORECASE,
)


def kind(cell: str) -> str:
    """What a cell looks like: `number`, `day`, `time`, `truth`, `text`, or empty."""
    cell = cell.strip()
    return next((name for name, pattern in KINDS if pattern.match(cell)), "text") if cell else ""


@dataclass(frozen=True)
class Head:
    """The beginning of a table."""

    header: int | None
    """Which of the rows names the columns; None: the first is a row of the table already."""
    warnings: tuple[str, ...] = ()


def find_head(rows: Sequence[Row], lines: Sequence[int], width: int) -> Head:
    """Find the header among the first rows of a file, none of them blank, which stand on those lines.

    `width` is how many fields most rows have.
    """
    rows = rows[: max(LEAST_ROWS, MOST_CELLS // max(1, width))]
    typical = _typical(rows)
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
    found = list(_tell_titles(lines, moved))
    if moved == at and _heads_twice(rows[at:]):
        found.append(
            f"Row {lines[at + 1]} may be the header, or part of it, beside row {lines[at]}: `header_row` says which."
        )
    return Head(moved, tuple(found))


def _tell_titles(lines: Sequence[int], header: int) -> tuple[str, ...]:
    if not header:
        return ()
    return (f"The header was found in row {lines[header]}; the rows above it (a title or notes) were left out.",)


def _names_blanks(rows: Sequence[Row], at: int, width: int) -> bool:
    """Is a row as wide as the table, and are its filled cells texts, none of them the first?"""
    cells = [cell for cell in rows[at] if cell.strip()]
    return len(rows[at]) == width and not rows[at][0].strip() and all(kind(cell) == "text" for cell in cells)


def _typical(rows: Sequence[Row]) -> int:
    """How many cells of a row of the table are filled: titles and notes, which have few, are the fewer rows."""
    filled = sorted(map(_filled, rows))
    return filled[3 * (len(filled) - 1) // 4 + (len(filled) > 1)] if filled else 0


def _filled(row: Row) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_title(row: Row, typical: int, width: int) -> bool:
    """Has it too few cells for a row of the table, as a title has?"""
    filled = _filled(row)
    if typical < 2:
        return False
    if filled == 1:
        return len(row) < width or bool(row[0].strip()) or typical > 2
    return filled * 2 <= typical and not all(kind(cell) in {"number", ""} for cell in row[1:])


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
    typed = [c for c in range(len(rows[0])) if _body_kind(rows[2:], c) not in {"", "text"}]
    names = [rows[1][c].strip() for c in typed if c < len(rows[1])]
    return bool(typed) and len(names) == len(typed) and all(kind(n) == "text" and not n[0].isdigit() for n in names)


def _names_values(rows: Sequence[Row], at: int) -> bool:
    """Is a row all texts, and stand values below one of them?"""
    below, row = rows[at + 1 :], rows[at]
    texts = all(kind(cell) in {"text", ""} for cell in row)
    return texts and any(kind(row[c]) and _body_kind(below, c) not in {"", "text"} for c in range(len(row)))


def _body_kind(rows: Sequence[Row], column: int) -> str:
    """The kind of most cells of a column; `text` where there is none."""
    kinds = Counter(kind(row[column]) for row in rows if column < len(row) and row[column].strip())
    if not kinds:
        return ""
    name, count = kinds.most_common(1)[0]
    return name if count >= 0.8 * kinds.total() else "text"


def _alike(rows: Sequence[Row], column: int) -> bool:
    """Is a column's first cell like those below, and no text?"""
    body = _body_kind(rows[1:], column)
    return body not in {"", "text"} and kind(rows[0][column]) == body


def _continues(rows: Sequence[Row]) -> bool:
    """Is the first row like the rows below in every column that holds values? Texts may be like any header."""
    if len(rows) < 2:
        return False
    first = rows[0]
    typed = [c for c in range(len(first)) if _body_kind(rows[1:], c) not in {"", "text"}]
    return bool(typed) and all(_alike(rows, c) for c in typed) and not _counts_up(first, typed, len(first))


def _counts_up(row: Row, typed: Sequence[int], width: int) -> bool:
    """Are these the numbers of columns, 0, 1, 2 or 1, 2, 3, rather than values?"""
    cells = [row[c].strip() for c in typed]
    if len(typed) < 3 or not all(cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return all(b - a == 1 for a, b in pairwise(numbers))


@dataclass(frozen=True)
class Foot:
    """The end of a table."""

    cut: int
    """Rows at the end that are no part of it."""
    warnings: tuple[str, ...] = ()


def find_foot(rows: Sequence[Row], width: int, drop_totals: bool, *, whole: bool) -> Foot:
    """Look at the last rows of a file, below its header: empty rows, notes, totals.

    `whole`: these are all rows; then a last row is known as a total by its numbers too.
    """
    rows, warnings = list(rows), []
    count = len(rows)
    typical = _typical(rows)
    notes = []
    while rows and count - len(rows) < MOST_NOTES and (not _filled(rows[-1]) or _is_note(rows, typical, width)):
        if _filled(rows[-1]):
            notes.append(", ".join(cell.strip() for cell in rows[-1] if cell.strip()))
        rows.pop()
    if empty := count - len(rows) - len(notes):
        warnings.append(f"{_last(empty)}, without any value, left out.")
    if notes:
        shown = "; ".join(repr(note[:SHOWN]) for note in reversed(notes[-3:]))
        warnings.append(f"{_last(len(notes))}, below the table, left out as notes (such as a source): {shown}.")
    kept = len(rows)
    totals = []
    while rows and kept - len(rows) < MOST_NOTES and _is_total(rows, whole):
        totals.append(next((cell.strip() for cell in rows[-1] if cell.strip()), ""))
        rows.pop()
    if totals:
        shown = ", ".join(repr(total[:SHOWN]) for total in reversed(totals))
        if drop_totals:
            warnings.append(f"{_last(len(totals))}, left out as totals: {shown}.")
        else:
            warnings.append(
                f"The last row seems to be a total ({shown}) of the rows above it, so sums count it twice; "
                '`totals` "drop" leaves it out.'
            )
    return Foot(count - len(rows) if drop_totals else count - kept, tuple(warnings))


def _last(count: int) -> str:
    return "1 row at the end" if count == 1 else f"{count} rows at the end"


def _is_note(rows: Sequence[Row], typical: int, width: int) -> bool:
    """Is the last row a text below the table?"""
    row, above = rows[-1], rows[:-1]
    texts = [cell.strip() for cell in row if cell.strip()]
    if typical < 2 or not texts or not row[0].strip():
        return False
    first = texts[0]
    speaks = bool(NOTE.match(first)) and (":" in first or " " in first or not first[0].isalnum())
    if len(texts) > 1:
        return (
            speaks
            and kind(first) == "text"
            and len(texts) * 2 <= typical + 1
            and all(kind(t) == "text" or len(row) < width for t in texts)
        )
    if kind(first) != "text":
        return False
    longest = max((len(each[0].strip()) for each in above if each), default=0)
    sentence = len(first.split()) >= 3 and len(first) > 1.5 * longest
    other = bool(above) and _body_kind(above, 0) in {"number", "day", "time"}
    return speaks or sentence or other


def _is_total(rows: Sequence[Row], whole: bool) -> bool:
    """Does the last row add up those above, by its word or by its numbers?"""
    row, above = rows[-1], rows[:-1]
    if not above:
        return False
    numbers = [c for c, cell in enumerate(row) if kind(cell) == "number"]
    label = next((c for c, cell in enumerate(row) if kind(cell) == "text"), None)
    if not numbers:
        return False
    if label is not None:
        word = row[label].strip()
        again = any(label < len(each) and each[label].strip() == word for each in above)
        return bool(TOTAL.match(word)) and not again
    empty = [
        c
        for c, cell in enumerate(row)
        if not cell.strip() and _body_kind(above, c) == "text" and _share_filled(above, c) > 0.9
    ]
    counts_on = all(_follows(above[-1], row, c) for c in numbers)
    return (
        whole and bool(empty) and len(above) > 1 and not counts_on and all(_adds_up(row, above, c) for c in numbers)
    )


def _share_filled(rows: Sequence[Row], column: int) -> float:
    return sum(column < len(row) and bool(row[column].strip()) for row in rows) / len(rows)


def _follows(above: Row, row: Row, column: int) -> bool:
    """Is a number the next one after that above it, as numbers of rows are?"""
    cells = [each[column].strip() for each in (above, row) if column < len(each)]
    return len(cells) == 2 and all(map(str.isdecimal, cells)) and int(cells[1]) == int(cells[0]) + 1


def _adds_up(row: Row, above: Sequence[Row], column: int) -> bool:
    try:
        total = sum(float(each[column]) for each in above if column < len(each) and each[column].strip())
        return abs(total - float(row[column])) <= 1e-6 * max(1.0, abs(total))
    except ValueError:
        return False


def cut_last(rows: Iterable[R], count: int) -> Iterator[R]:
    """All rows but the last `count`."""
    held: deque[R] = deque()
    for row in rows:
        held.append(row)
        if len(held) > count:
            yield held.popleft()
