"""Patterns of dotted names in which `*` stands for any characters of a part, compared without case.

A pattern becomes a regular expression of atomic groups, which never go back to try another place for a `*`. So
matching takes time linear in the lengths of pattern and name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

Parts = tuple[str, ...]
"""A dotted name, split at its dots."""
BETWEEN = "\0"
"""Joins the parts of a name for matching; no name holds it."""


class Patterns:
    """Several patterns, of which one has to match. Example: `Patterns(["hr.*", "users"])` matches `("hr", "pay")`."""

    def __init__(self, patterns: Iterable[str]) -> None:
        split = sorted({tuple(pattern.casefold().split(".")) for pattern in patterns})
        self._any = re.compile("|".join(map(_write_expression, split)) or r"(?!)", re.DOTALL)
        self._columns = [(re.compile(_write_expression(parts[:-1]), re.DOTALL), parts[-1]) for parts in split]

    def match(self, names: Iterable[Parts]) -> bool:
        """Whether any pattern matches any of `names`."""
        return any(self._any.fullmatch(_join(name)) for name in names)

    def without_last(self, names: Iterable[Parts]) -> Patterns | None:
        """The last parts of the patterns whose other parts match any of `names`; None if none does.

        Example: `Patterns(["users.email", "*.ssn"]).without_last([("users",)])` matches `("email",)` and `("ssn",)`.
        """
        joined = [_join(name) for name in names]
        last = [part for table, part in self._columns if any(map(table.fullmatch, joined))]
        return compile_patterns(tuple(last)) if last else None


@lru_cache(maxsize=64)
def compile_patterns(patterns: tuple[str, ...]) -> Patterns:
    return Patterns(patterns)


def _join(name: Parts) -> str:
    return BETWEEN.join(name).casefold()


def _write_expression(pattern: Parts) -> str:
    return BETWEEN.join(map(_write_part, pattern))


def _write_part(part: str) -> str:
    """Leftmost places for all pieces between the stars leave the most room for those after them."""
    first, *others = [re.escape(piece) for piece in part.split("*")]
    if not others:
        return first
    between = "".join(f"(?>[^{BETWEEN}]*?{piece})" for piece in others[:-1] if piece)
    return f"{first}{between}[^{BETWEEN}]*{others[-1]}"
