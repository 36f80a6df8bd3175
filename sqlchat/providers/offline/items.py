"""One reading of some words of a question, for the composer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlchat.providers.offline.links import Key


@dataclass(frozen=True, slots=True)
class Item:
    """One reading of the tokens `start` to `start + size`."""

    start: int
    size: int
    kind: str
    """`table`, `column`, `value`, `measure`, `flag`, or that of a marker."""
    target: Any = None
    evidence: str = ""
    value: Any = None
    """The text of a value, the number, the function, the operator, the direction or the span of days."""
    text: str = ""

    @property
    def end(self) -> int:
        return self.start + self.size

    @property
    def table(self) -> Key:
        """The table that is named, or that the column or measure belongs to."""
        table: Key = self.target if isinstance(self.target, tuple) else self.target.table
        return table
