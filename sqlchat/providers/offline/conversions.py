"""Converts figures to the unit that a question asks for: minutes to hours in `average minutes spent, in hours`.

Only a column whose name tells its unit is converted, and times between two days.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed
from sqlchat.providers.offline.query import Agg, Query, Term

UNITS = (
    {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800},
    {"grams": 0.001, "kilograms": 1, "tonnes": 1000},
    {"millimetres": 0.001, "centimetres": 0.01, "metres": 1, "kilometres": 1000},
    {"millilitres": 0.001, "centilitres": 0.01, "litres": 1, "hectolitres": 100},
)
"""The units of one kind, each with its size."""
NAMES = {
    **{name: name for group in UNITS for name in group},
    **{name[:-1]: name for group in UNITS for name in group},
    **{
        short: name
        for name, shorts in (
            ("seconds", "s sec secs"), ("minutes", "min mins"), ("hours", "hr hrs h"), ("days", "d"),
            ("grams", "g gr"), ("kilograms", "kg kilo kilos"), ("tonnes", "t ton tons"), ("metres", "m meter meters"),
            ("kilometres", "km kilometer kilometers"), ("centimetres", "cm centimeter centimeters"),
            ("millimetres", "mm millimeter millimeters"), ("millilitres", "ml milliliter milliliters"),
            ("litres", "l liter liters"), ("centilitres", "cl"), ("hectolitres", "hl"),
        )
        for short in shorts.split()
    },
}  # fmt: skip
"""Words for units, with the unit."""
LETTERS = frozenset({"s", "h", "d", "g", "t", "m", "l"})
"""Short forms that stand for other things where they are no part of a column's name."""
ASKED = re.compile(
    r"(?i)(?:\bin |\(in |\(|, )(\w+)\b"
    r"(?=\W*$|\)|,| (?:per|by|for|of|on|did|do|does|is|are|was|were|have|in)\b)|^how many (\w+)\b"
    r"|^(?:(?:total|average|the|sum of|number of) )*(hours|minutes)\b(?! with\b| when\b| of the day\b)"
)


def convert(question: str, query: Query, linker: Linker) -> bool:
    """Convert the figures that are kept in another unit than the one asked for; True if the query changed.

    Raises QuestionError if the unit of a time between two days cannot be shown so.
    """
    words = ("".join(filter(None, match.groups())).lower() for match in ASKED.finditer(question))
    word = next((word for word in words if word in NAMES), None)
    if word is None or word in LETTERS:
        return False
    unit = NAMES[word]
    changed = {term: _convert_term(term, unit, linker) for term in _list_terms(query)}
    changed = {term: other for term, other in changed.items() if other != term}
    query.outputs = [changed.get(term, term) for term in query.outputs]
    query.order = [(changed.get(term, term), down) for term, down in query.order]
    return bool(changed)


def _list_terms(query: Query) -> list[Term]:
    return [*query.outputs, *(term for term, _ in query.order)]


def _convert_term(term: Term, unit: str, linker: Linker) -> Term:
    if isinstance(term, Agg) and isinstance(term.of, Col) and term.function != "count":
        return replace(term, of=_convert_col(term.of, unit, linker))
    return _convert_col(term, unit, linker) if isinstance(term, Col) else term


def _convert_col(col: Col, unit: str, linker: Linker) -> Col:
    group = next(group for group in UNITS if unit in group)
    if isinstance(col, Computed):
        if col.kind in group and col.kind != unit:
            if unit not in dates.SECONDS:
                raise QuestionError(f"Times are not shown in {unit} yet.", words=[unit])
            return replace(col, name=unit, kind=unit)
        return col
    if not dates.is_number(linker.catalog_column(col)) or linker.is_key(col):
        return col
    kept = {NAMES[word] for word in linker.column_words(col.table, col.name) if word in NAMES} & set(group)
    if len(kept) != 1 or unit in kept:
        return col
    factor = group[kept.pop()] / group[unit]
    return Computed(col.table, f"{col.name}_in_{unit}", "scaled", col, col, factor)
