"""Statistics of a database's columns as plain data: shares of NULL, ranges, common values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Path = tuple[str, str, str]
"""(schema, table, column)"""
Kind = Literal["text", "number", "time", "other"]
Texts = Mapping[Path, tuple[str, ...]]
PlainKind = Literal["day", "flag"]

FEW = 200
"""Distinct texts up to which a column's list of them is meant to hold each one that was seen."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Statistics of one column; None or empty where they are unknown."""

    kind: Kind
    """`time` is a date or time by the column's type, however it is kept."""
    null_share: float
    """From 0 to 1."""
    distinct: int | None = None
    """Different values beside NULL."""
    exact: bool = False
    """Whether all rows were looked at; else the figures are estimates from a sample."""
    unique: bool = False
    """Whether no value occurs twice."""
    least: str = ""
    """For numbers and times, and for texts that are all ISO dates or times."""
    most: str = ""
    values: tuple[str, ...] = ()
    """The most frequent first: texts of at most 100 characters; numbers where there are few."""
    complete: bool = False
    """Whether `values` are all there are."""
    examples: tuple[str, ...] = ()
    """Some of the texts that are amounts or days, which `values` leaves out, to show how they are written."""
    strays: tuple[str, ...] = ()
    """Texts such as `n/a` in a column whose other texts are numbers, the most frequent first."""

    @property
    def few(self) -> bool:
        """Whether `values` has each text that was seen, long ones apart."""
        return self.distinct is not None and self.distinct <= FEW


class Profiles(Mapping[Path, ColumnProfile]):
    """Profiles by column, as far as they could be read; immutable and compared by content."""

    def __init__(self, columns: Mapping[Path, ColumnProfile] | None = None) -> None:
        self._columns = dict(columns or {})

    def __getitem__(self, path: Path) -> ColumnProfile:
        return self._columns[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(frozenset(self._columns.items()))

    @cached_property
    def few_texts(self) -> Texts:
        """The texts of columns that hold few different ones."""
        return {path: texts for path, texts in self.texts.items() if self[path].few}

    @cached_property
    def plain_kinds(self) -> Mapping[Path, PlainKind]:
        """Columns that hold something plainer than their type: texts that are all ISO dates, or 0 and 1 alone."""
        found: dict[Path, PlainKind] = {}
        for path, each in self.items():
            if each.kind == "text" and each.least:
                found[path] = "day"
            elif each.kind == "number" and each.complete and set(each.values) == {"0", "1"}:
                found[path] = "flag"
        return found

    @cached_property
    def partial(self) -> frozenset[Path]:
        """Columns that may hold more than `texts` has of them."""
        return frozenset(path for path in self.texts if not self[path].complete)

    @cached_property
    def texts(self) -> Texts:
        """All known texts, also of columns that hold many more."""
        texts = {path: tuple(filter(str.strip, each.values)) for path, each in self.items() if each.kind == "text"}
        return {path: values for path, values in texts.items() if values}
