"""Compares two result sets, for execution accuracy and for agreement between candidates. Pure functions.

Rows are compared as multisets and columns by content, not by name or order: the sets are equal if some assignment of
columns makes the multisets equal. Numbers are equal within 1e-6 (relative), but whole numbers only if they are the
same. Dates and times are compared as text, and a date equals its midnight.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isclose
from typing import Any

import orjson

from sqlchat.connections.results import Results

TOLERANCE = 1e-6
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00(?::?00)?)?")

Column = tuple[int, ...]
"""The values of a column, with equal values replaced by equal numbers."""


@dataclass(frozen=True, slots=True)
class ResultSet:
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    """JSON values."""
    truncated: bool = False

    @classmethod
    def of(cls, results: Results) -> ResultSet:
        return cls(results.columns, results.read_rows(), results.truncated)


@dataclass(frozen=True, slots=True)
class Order:
    """The order that a statement's ORDER BY demands."""

    keys: tuple[int | str, ...] | None
    """The output columns that it orders by, as places or names; None if one of its keys is no output column."""

    def list_places(self, columns: Sequence[str]) -> Collection[int]:
        """Return the places of the keys; of all columns if a key is not put out."""
        names = [name.lower() for name in columns]
        places = [_find_place(key, names) for key in self.keys or (None,)]
        found = [place for place in places if place is not None]
        return found if len(found) == len(places) else range(len(columns))


def describe_difference(gold: ResultSet, got: ResultSet, order: Order | None = None) -> str:
    """Say in a clause how `got` differs from `gold`; empty if it does not. `order` is the gold's."""
    if gold.truncated or got.truncated:
        return f"more rows than the {max(len(gold.rows), len(got.rows))} that are compared"
    width, wanted = len(got.columns), len(gold.columns)
    if len(gold.rows) == len(got.rows):
        gold_columns, got_columns = _number_columns(gold, got)
        ordered = order.list_places(gold.columns) if order else ()
        if width == wanted and _can_assign(gold_columns, got_columns, ordered):
            return ""
        if width == wanted and ordered and _can_assign(gold_columns, got_columns):
            return "the right rows in another order"
        if width > wanted and _can_assign(gold_columns, got_columns):
            return f"{width} columns, the gold's {wanted} among them"
        if width < wanted and _can_assign(got_columns, gold_columns):
            return f"only {width} of the gold's {wanted} columns"
    differences = []
    if width != wanted:
        differences.append(f"{_render_count(width, 'column')} where the gold has {wanted}")
    if len(got.rows) != len(gold.rows):
        differences.append(f"{_render_count(len(got.rows), 'row')} where the gold has {len(gold.rows)}")
    return ", ".join(differences) or "other values than the gold's"


def _find_place(key: int | str | None, names: Sequence[str]) -> int | None:
    if isinstance(key, str):
        return names.index(key.lower()) if key.lower() in names else None
    return key if key is not None and key < len(names) else None


def _number_columns(gold: ResultSet, got: ResultSet) -> tuple[list[Column], list[Column]]:
    """Return the columns of both, with equal values replaced by equal numbers."""
    rows = [*gold.rows, *got.rows]
    groups = _group_close_numbers(value for value in chain.from_iterable(rows) if _is_number(value))
    numbers: dict[Hashable, int] = {}

    def number_columns_of(result: ResultSet) -> list[Column]:
        return [
            tuple(numbers.setdefault(_make_key(row[place], groups), len(numbers)) for row in result.rows)
            for place in range(len(result.columns))
        ]

    return number_columns_of(gold), number_columns_of(got)


def _group_close_numbers(numbers: Iterable[float]) -> dict[float, int]:
    """Return the group of each number: neighbours within the tolerance share one, unless both are whole."""
    groups: dict[float, int] = {}
    before: float | None = None
    for number in sorted(set(numbers)):
        near = before is not None and isclose(number, before, rel_tol=TOLERANCE, abs_tol=TOLERANCE * TOLERANCE)
        alike = near and before is not None and not (number == int(number) and before == int(before))
        groups[number] = groups[before] if alike and before is not None else len(groups)
        before = number
    return groups


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _make_key(value: Any, groups: dict[float, int]) -> Hashable:
    if _is_number(value):
        return "number", groups[value]
    if isinstance(value, list | dict):
        return "json", orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if isinstance(value, str) and (midnight := MIDNIGHT.fullmatch(value)):
        return "str", midnight[1]
    return type(value).__name__, value


def _can_assign(wanted: list[Column], offered: list[Column], ordered: Collection[int] = ()) -> bool:
    """Can each of `wanted` have one of `offered` of its own so that the rows are the same multiset?

    The columns at the places in `ordered` must also be the same from row to row.
    """
    contents = [Counter(column) for column in offered]

    def assign_rest(place: int, rows: Column, offered_rows: Column, free: tuple[int, ...]) -> bool:
        """Find columns for `wanted[place:]`; equal numbers in `rows` mean equal values in the columns before."""
        if place == len(wanted):
            return True
        column, content = wanted[place], Counter(wanted[place])
        tried = set()
        for choice in free:
            candidate = offered[choice]
            if candidate in tried or contents[choice] != content or (place in ordered and candidate != column):
                continue
            tried.add(candidate)
            numbers: dict[tuple[int, int], int] = {}
            longer = _join_column(rows, column, numbers)
            offered_longer = _join_column(offered_rows, candidate, numbers)
            left = tuple(other for other in free if other != choice)
            if Counter(longer) == Counter(offered_longer) and assign_rest(place + 1, longer, offered_longer, left):
                return True
        return False

    rows = (0,) * len(wanted[0]) if wanted else ()
    return assign_rest(0, rows, rows, tuple(range(len(offered))))


def _join_column(rows: Column, column: Column, numbers: dict[tuple[int, int], int]) -> Column:
    return tuple(numbers.setdefault(pair, len(numbers)) for pair in zip(rows, column, strict=True))


def _render_count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
