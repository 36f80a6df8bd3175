"""Statistics of values that one type or one reading fits: bounds, sum, digits, marks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

INTEGER_RANGE = range(-(2**31), 2**31)
BIGINT_RANGE = range(-(2**63), 2**63)
NUMBER_TYPES = frozenset({"INTEGER", "BIGINT", "NUMERIC", "DOUBLE PRECISION"})
NUMBER_KINDS = ("INTEGER", "NUMERIC", "DOUBLE PRECISION")
"""From narrow to wide; BIGINT is an INTEGER whose bounds say so."""


@dataclass(frozen=True)
class ValueStats:
    least: Any
    most: Any
    total: float | None = None
    """Sum, of numbers."""
    kind: str = ""
    """The narrowest of NUMBER_KINDS, for numbers."""
    digits: tuple[int, int] = (0, 0)
    """Least digits of a NUMERIC before and after the point; `least` and `most` may need more before it."""
    values: pa.Array | None = field(default=None, repr=False, compare=False)
    """The values, if a reading makes them of texts."""
    is_increasing: bool = False
    """Is each number greater than the one before it, so that no two are equal?"""
    infinite: int = 0
    """Number of infinite values."""
    marks: frozenset[str] = frozenset()
    """Marks of `notations`; `offset`: times that are not in UTC; `zone`; `months`; `cut`: to microseconds."""


def is_increasing(numbers: npt.NDArray[np.number]) -> bool:
    """Is each number greater than the one before it? Then no two are equal."""
    return bool((numbers[1:] > numbers[:-1]).all())


def widen(one: ValueStats | None, other: ValueStats) -> ValueStats:
    """Merge two statistics."""
    if one is None:
        return other
    totals = (one.total, other.total)
    kind = max(one.kind, other.kind, key=NUMBER_KINDS.index) if one.kind and other.kind else one.kind or other.kind
    return ValueStats(
        other.least if one.least is None else one.least if other.least is None else min(one.least, other.least),
        other.most if one.most is None else one.most if other.most is None else max(one.most, other.most),
        None if None in totals else sum(t for t in totals if t is not None),
        kind,
        (max(one.digits[0], other.digits[0]), max(one.digits[1], other.digits[1])),
        is_increasing=one.is_increasing and other.is_increasing and one.most < other.least,
        infinite=one.infinite + other.infinite,
        marks=one.marks | other.marks,
    )


def choose_number_type(kind: str, least: float, most: float) -> str:
    """Return the SQL type of numbers of that kind between these bounds."""
    if kind != "INTEGER":
        return kind
    if least in INTEGER_RANGE and most in INTEGER_RANGE:
        return "INTEGER"
    return "BIGINT" if least in BIGINT_RANGE and most in BIGINT_RANGE else "NUMERIC"


def find_other_numbers(best: ValueStats, fits: Iterable[ValueStats]) -> ValueStats | None:
    """Find the first statistics, of readings of the same texts, with other numbers than the best."""
    numbers = (best.least, best.most, best.total)
    return next((fit for fit in fits if fit.kind and (fit.least, fit.most, fit.total) != numbers), None)


def drop_non_finite(value: Any) -> Any:
    """Return None for NaN and infinities, which JSON lacks; else the value."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
