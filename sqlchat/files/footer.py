"""Finds the end of a table among the last rows of a file: empty rows, notes, totals.

The same rules hold for CSV and workbooks. Each decision gives a warning. The option `totals` says if
totals are rows of the table.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlchat.files.header import SHOWN, Row, find_body_kind, find_kind, find_typical_fill

if TYPE_CHECKING:
    from sqlchat.files.dialect import Row as NumberedRow

R = TypeVar("R")

MOST_NOTES = 30
"""Rows below a table."""
MOST_ADDED = 200
"""Rows that a subtotal may add up."""
MOST_LABELS = 10
"""Columns at the left that may name a total."""
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
    """Rows at the end that are no part of the table."""
    warnings: tuple[str, ...] = ()
    count: int = 0
    """Rows at the end that hold no values of the table: `cut`, and totals that stay in it."""


def find_foot(rows: Sequence[Row], width: int, drop_totals: bool, *, whole: bool) -> Foot:
    """Find empty rows, notes and totals among the last rows of a file, below its header.

    `whole`: these are all rows; then the numbers of a last row can also show that it is a total.
    """
    rows, warnings = list(rows), []
    count = len(rows)
    typical = find_typical_fill(rows)
    notes: list[str] = []
    empty = 0
    while rows and empty + len(notes) < MOST_NOTES:
        cells = _list_filled(rows[-1])
        if cells and not _is_note(rows, typical, width):
            break
        empty += not cells
        notes += [", ".join(cells)] if cells else []
        rows.pop()
    if empty:
        warnings.append(f"{_count_last(empty)}, without any value, left out.")
    if notes:
        shown = "; ".join(repr(note[:SHOWN]) for note in reversed(notes[-3:]))
        warnings.append(f"{_count_last(len(notes))}, below the table, left out as notes (such as a source): {shown}.")
    totals: list[str] = []
    while rows and len(totals) < MOST_NOTES and _is_total(rows, whole):
        totals.append(_list_filled(rows.pop())[0])
    if totals:
        shown = ", ".join(repr(total[:SHOWN]) for total in reversed(totals))
        if drop_totals:
            warnings.append(f"{_count_last(len(totals))}, left out as totals: {shown}.")
        else:
            warnings.append(
                f"The last row seems to be a total ({shown}) of the rows above it, so sums count it twice; "
                '`totals` "drop" leaves it out.'
            )
    foot_count = count - len(rows)
    return Foot(foot_count if drop_totals else foot_count - len(totals), tuple(warnings), foot_count)


def _list_filled(row: Row) -> list[str]:
    return [cell.strip() for cell in row if cell.strip()]


def _count_last(count: int) -> str:
    return "1 row at the end" if count == 1 else f"{count} rows at the end"


def _is_note(rows: Sequence[Row], typical: int, width: int) -> bool:
    """Is the last row a text below the table?"""
    row, above = rows[-1], rows[:-1]
    texts = _list_filled(row)
    if typical < 2 or not texts or not row[0].strip():
        return False
    first = texts[0]
    is_worded = bool(NOTE.match(first)) and (":" in first or " " in first or not first[0].isalnum())
    if len(texts) > 1:
        return (
            is_worded
            and find_kind(first) == "text"
            and len(texts) * 2 <= typical + 1
            and all(find_kind(t) == "text" or len(row) < width for t in texts)
        )
    if find_kind(first) != "text":
        return False
    longest = max((len(above_row[0].strip()) for above_row in above if above_row), default=0)
    is_sentence = len(first.split()) >= 3 and len(first) > 1.5 * longest
    return is_worded or is_sentence or (bool(above) and find_body_kind(above, 0) in {"number", "day", "time"})


def _is_total(rows: Sequence[Row], whole: bool) -> bool:
    """Is the last row a total of the rows above, by its word or by its numbers?"""
    row, above = rows[-1], rows[:-1]
    numbers = [c for c, cell in enumerate(row) if find_kind(cell) == "number"]
    if not above or not numbers:
        return False
    label = next((c for c, cell in enumerate(row) if find_kind(cell) == "text"), None)
    if label is not None:
        word = row[label].strip()
        is_repeated = any(label < len(cells) and cells[label].strip() == word for cells in above)
        return bool(TOTAL.match(word)) and not is_repeated
    has_blank_label = any(
        not cell.strip() and find_body_kind(above, c) == "text" and _compute_filled_share(above, c) > 0.9
        for c, cell in enumerate(row)
    )
    if not whole or not has_blank_label or len(above) < 2 or all(_follows(above[-1], row, c) for c in numbers):
        return False
    return all(_adds_up(row, above, c) for c in numbers)


def _compute_filled_share(rows: Sequence[Row], column: int) -> float:
    return sum(column < len(row) and bool(row[column].strip()) for row in rows) / len(rows)


def _follows(above: Row, row: Row, column: int) -> bool:
    """Is a number one more than the number above it, as in a column that counts rows?"""
    cells = [cells[column].strip() for cells in (above, row) if column < len(cells)]
    return len(cells) == 2 and all(map(str.isdecimal, cells)) and int(cells[1]) == int(cells[0]) + 1


def _adds_up_last(row: Row, above: Sequence[Row]) -> bool:
    """Is the first number of a row the sum of two or more numbers right above it, or no plain number?"""
    column = next(c for c, cell in enumerate(row) if find_kind(cell) == "number")
    try:
        float(row[column])
    except ValueError:
        return True
    return any(_adds_up(row, above[-count:], column) for count in range(2, min(len(above), MOST_ADDED) + 1))


def _adds_up(row: Row, above: Sequence[Row], column: int) -> bool:
    try:
        total = sum(float(cells[column]) for cells in above if column < len(cells) and cells[column].strip())
        return abs(total - float(row[column])) <= 1e-6 * max(1.0, abs(total))
    except ValueError:
        return False


def warn_of_totals_within(rows: Sequence[Row]) -> list[str]:
    """Warn of subtotals among the rows: they name a total, and leave a cell blank or add up the rows above."""
    labels = []
    for place in range(1, len(rows) - 1):
        row = rows[place]
        label = next((c for c, cell in enumerate(row[:MOST_LABELS]) if find_kind(cell) == "text"), None)
        if (
            label is None
            or not TOTAL_WITHIN.match(row[label].strip())
            or not any(find_kind(c) == "number" for c in row)
        ):
            continue
        has_gap = any(
            not cell.strip() and c != label and _compute_filled_share(rows, c) > 0.6 for c, cell in enumerate(row)
        )
        if has_gap or _adds_up_last(row, rows[:place]):
            labels.append(row[label].strip())
    if not labels:
        return []
    shown = ", ".join(repr(word[:SHOWN]) for word in labels[:3])
    return [f"Totals seem to stand within the table ({shown}; {len(labels)} in all), so sums count values twice."]


def warn_of_second_table(rows: list[NumberedRow], width: int) -> list[str]:
    """Warn if texts over values follow a blank line, as a second table would begin."""
    for at in range(1, len(rows) - 1):
        row = rows[at]
        if row.first == rows[at - 1].last + 1 or len(row.cells) != width:
            continue
        above = [above_row.cells for above_row in rows[:at] if len(above_row.cells) == width]
        valued = [
            c for c in range(width) if above and all(find_kind(cells[c]) not in {"", "text"} for cells in above)
        ]
        if valued and all(find_kind(cell) == "text" for cell in row.cells):
            return [
                f"Another table seems to begin on line {row.first}, after a blank line; its rows were read as more."
            ]
    return []


def cut_last(rows: Iterable[R], count: int) -> Iterator[R]:
    """Give all rows except the last `count`."""
    pending: deque[R] = deque()
    for row in rows:
        pending.append(row)
        if len(pending) > count:
            yield pending.popleft()
