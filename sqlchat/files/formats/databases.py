"""Picks one table of a database file, and quotes names for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlchat.errors import FileInvalidError

SHOWN = 20


def pick_table(names: Sequence[str], wanted: str | int | None, warnings: list[str]) -> str:
    """The table that `wanted` names, by its name or number, or the first. Raises FileInvalidError."""
    if not names:
        raise FileInvalidError("The database has no tables.")
    listed = ", ".join(map(repr, names[:SHOWN]))
    if wanted is None:
        if len(names) > 1:
            warnings.append(
                f"Of {len(names)} tables, {names[0]!r} was read; there are {listed}, and `sheet` names one."
            )
        return names[0]
    if wanted in names:
        return str(wanted)
    folded = [name.casefold() for name in names]
    if folded.count(str(wanted).casefold()) == 1:
        return names[folded.index(str(wanted).casefold())]
    if str(wanted).isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise FileInvalidError(f"There is no table {wanted!r}; the database has {listed}.", option="sheet")


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
