"""What to tell of rows of a text table that may be other columns, or more tables, than they were read as."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlchat.files import shape

if TYPE_CHECKING:
    from sqlchat.files.sniff import Row

BLANKS = re.compile(r"\S( {2,}|\t)\S")


def doubt_one_column(found: list[Row]) -> list[str]:
    """What to tell of rows of one field that other signs may part."""
    texts = [row.cells[0] for row in found if row.cells]
    for mark, name in ((":", "colons"), (" ", "blanks")):
        parted = [text.split(mark) for text in texts]
        width = len(parted[0])
        if len(texts) > 1 and width > 1 and all(len(parts) == width for parts in parted) and _has_numbers(parted[1:]):
            return [f"The table has one column; if {name} part its fields, set `delimiter` to {mark!r}."]
    if len(texts) > 2 and all(map(BLANKS.search, texts)):
        return ["The table has one column; it seems to have columns of fixed width, which are not read as such."]
    return []


def _has_numbers(rows: list[list[str]]) -> bool:
    """Are the fields of one place numbers in all rows?"""
    return any(all(shape.kind(row[at]) == "number" for row in rows) for at in range(len(rows[0])))


def doubt_blank_lines(below: list[Row], width: int) -> list[str]:
    """What to tell where a blank line is followed by texts over values, as a second table would begin."""
    for at in range(1, len(below) - 1):
        row = below[at]
        if row.first == below[at - 1].last + 1 or len(row.cells) != width:
            continue
        above = [each.cells for each in below[:at] if len(each.cells) == width]
        valued = [
            c for c in range(width) if above and all(shape.kind(cells[c]) not in {"", "text"} for cells in above)
        ]
        if valued and all(shape.kind(cell) == "text" for cell in row.cells):
            return [
                f"Another table seems to begin on line {row.first}, after a blank line; its rows were read as more."
            ]
    return []
