"""Picks one table of a database file, and quotes names for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlchat.errors import FileInvalidError
from sqlchat.files.names import SHOWN, pick_name


def pick_table(names: Sequence[str], wanted: str | int | None, warnings: list[str]) -> str:
    """Return the table that `wanted` names, by its name or number, or the first. Raises FileInvalidError."""
    if not names:
        raise FileInvalidError("The database has no tables.")
    if wanted is not None:
        return names[pick_name(names, wanted, "table")]
    if len(names) > 1:
        listed = ", ".join(map(repr, names[:SHOWN]))
        warnings.append(f"Of {len(names)} tables, {names[0]!r} was read; there are {listed}, and `sheet` names one.")
    return names[0]


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
