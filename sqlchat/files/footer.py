"""Finds the end of a table among the last rows of a file: empty rows, notes, totals.

Used for CSV and workbooks. Each decision is told in a warning; `totals` says if totals are rows of the table.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlchat.files.header import SHOWN, Row, body_kind, count_filled, kind, typical_fill

if TYPE_CHECKING:
    from sqlchat.files.dialect import Row as NumberedRow

R = TypeVar("R")

MOST_NOTES = 30
"""Rows below a table."""
MOST_ADDED = 200
"""Rows above a subtotal."""
MOST_LABELS = 10
"""Columns at the left of which one may name a total."""
TOTAL = re.compile(
    r"(grand[ -]?|sub[ -]?|overall )?(totals?|sums?|summe|gesamt|gesamtsumme|insgesamt|zwischensumme|somme|suma|"
    r"totale|totaal|итого|всего|celkem|razem|suma|összesen|toplam|yhteensä|totalt|summa|合计|总计|合計|小计|average|mean|"
    r"durchschnitt|mittelwert|moyenne|media|promedio)\b.{0,30}$",
    re.IGNORECASE,
)
TOTAL_WITHIN = re.compile(rf"{TOTAL.pattern}|.{{1,40}} (sub)?total$", re.IGNORECASE)
NOTE = re.compile(
    r"(sources?|notes?|quellen?|stand|hinweis|anmerkung(en)?|fuentes?|notas?|fonte|remarks?|comments?|disclaimer|copyright|"
    r"generated|exported|created|printed|prepared|downloaded|last updated?|updated|as of|data (from|source)|"
    r"erstellt|abgerufen|end of|total rows|rows?:|page \d|confidential|legend|key:)\b|[*†‡©#(\[]|\d\)|https?://",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Foot:
    """The end of a table."""

    cut: int
    """Rows at the end that are no part of it."""
    warnings: tuple[str, ...] = ()
    count: int = 0
    """Rows at the end that are no values, totals that are kept among them."""


def find_foot(rows: Sequence[Row], width: int, drop_totals: bool, *, whole: bool) -> Foot:
    """Look at the last rows of a file, below its header: empty rows, notes, totals.

    `whole`: these are all rows; then a last row is known as a total by its numbers too.
    """
    rows, warnings = list(rows), []
    count = len(rows)
    typical = typical_fill(rows)
    notes = []
    while rows and count - len(rows) < MOST_NOTES and (not count_filled(rows[-1]) or _is_note(rows, typical, width)):
        if count_filled(rows[-1]):
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
    return Foot(count - len(rows) if drop_totals else count - kept, tuple(warnings), count - len(rows))


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
    other = bool(above) and body_kind(above, 0) in {"number", "day", "time"}
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
        if not cell.strip() and body_kind(above, c) == "text" and _share_filled(above, c) > 0.9
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


def _adds_up_last(row: Row, above: Sequence[Row]) -> bool:
    """Is the first number of a row the sum of two or more right above it? Yes if it is no plain number."""
    column = next(c for c, cell in enumerate(row) if kind(cell) == "number")
    try:
        float(row[column])
    except ValueError:
        return True
    return any(_adds_up(row, above[-count:], column) for count in range(2, min(len(above), MOST_ADDED) + 1))


def _adds_up(row: Row, above: Sequence[Row], column: int) -> bool:
    try:
        total = sum(float(each[column]) for each in above if column < len(each) and each[column].strip())
        return abs(total - float(row[column])) <= 1e-6 * max(1.0, abs(total))
    except ValueError:
        return False


def warn_of_totals_within(rows: Sequence[Row]) -> list[str]:
    """A warning of subtotals among the rows: they name a total, and leave a cell blank or add up those above."""
    found = []
    for place in range(1, len(rows) - 1):
        row = rows[place]
        label = next((c for c, cell in enumerate(row[:MOST_LABELS]) if kind(cell) == "text"), None)
        if label is None or not TOTAL_WITHIN.match(row[label].strip()) or not any(kind(c) == "number" for c in row):
            continue
        blank = any(not cell.strip() and c != label and _share_filled(rows, c) > 0.6 for c, cell in enumerate(row))
        if blank or _adds_up_last(row, rows[:place]):
            found.append(row[label].strip())
    if not found:
        return []
    shown = ", ".join(repr(word[:SHOWN]) for word in found[:3])
    return [f"Totals seem to stand within the table ({shown}; {len(found)} in all), so sums count values twice."]


def warn_of_second_table(rows: list[NumberedRow], width: int) -> list[str]:
    """A warning if a blank line is followed by texts over values, as a second table would begin."""
    for at in range(1, len(rows) - 1):
        row = rows[at]
        if row.first == rows[at - 1].last + 1 or len(row.cells) != width:
            continue
        above = [each.cells for each in rows[:at] if len(each.cells) == width]
        valued = [c for c in range(width) if above and all(kind(cells[c]) not in {"", "text"} for cells in above)]
        if valued and all(kind(cell) == "text" for cell in row.cells):
            return [
                f"Another table seems to begin on line {row.first}, after a blank line; its rows were read as more."
            ]
    return []


def cut_last(rows: Iterable[R], count: int) -> Iterator[R]:
    """All rows but the last `count`."""
    held: deque[R] = deque()
    for row in rows:
        held.append(row)
        if len(held) > count:
            yield held.popleft()
