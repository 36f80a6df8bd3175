"""Finds the columns whose numbers are kept in a unit that a question names: `kilos`, `hours`, `euros`."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.language.tokens import name_words
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col

UNIT_GROUPS = tuple(
    frozenset(group.split())
    for group in (
        "kg kilo kilos kilogram kilograms weight",
        "km kilometre kilometres kilometer kilometers distance odometer",
        "m metre metres meter meters altitude height length depth",
        "min mins minute minutes duration",
        "hour hours hrs hr duration",
        "day days",
        "night nights",
        "percent pct percentage %",
        "m2 sqm sqft area square",
        "euro euros eur pound pounds dollar dollars price cost amount total fee value charge",
        "litre litres liter liters",
        "mile miles distance",
        "page pages",
        "seat seats capacity",
        "years age",
        "degree degrees temperature",
        "kwh",
        "cm height length",
    )
)
"""Units with the words of columns that are kept in them."""

HOURLY = {
    "hour": lexicon.words("hour hours hourly hr hrs"), "day": lexicon.words("day days daily"),
    "week": lexicon.words("week weekly"), "month": lexicon.words("month monthly"),
    "year": lexicon.words("year yearly annual"),
}  # fmt: skip
"""Units after `per`, with the words of columns of what is paid for one."""


def list_unit_columns(linker: Linker, word: str) -> list[Col]:
    """The numeric columns that are kept in the unit."""
    groups = [group for group in UNIT_GROUPS if word in group]
    return [
        Col(key, column.name)
        for key, table in linker.tables.items()
        for column in table.columns
        if groups
        and dates.is_number(column)
        and not linker.is_key(Col(key, column.name))
        and any(not group.isdisjoint(name_words(column.name)) for group in groups)
    ]
