"""Makes column profiles of counts and values, which each database's own module reads, within shared bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlchat.errors import (
    ForeignServerUnavailableError,
    QueryError,
    QueryTimeoutError,
    SQLRefusedError,
    TooLargeError,
)
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.profiles import ColumnProfile, Kind, Path

SAMPLED_ROWS, SAMPLED_CELLS = 50_000, 500_000
"""Rows of a table that are looked at; fewer of a table with many columns."""
MOST_VALUES = 1_000
"""Most texts that are kept of one column: the most frequent ones."""
MOST_IN_ALL = 30_000
"""Texts of all columns together."""
MOST_NUMBERS = 8
"""Different numbers that are kept as values; of more the range says enough."""
MOST_EXAMPLES = 6
"""Dates in a form that does not sort, and amounts, which show that form."""
MOST_STRAYS = 3
NEARLY_ALL = 0.8
LONGEST = 100
"""Characters; longer texts are prose that no question names."""

UNREADABLE = (ForeignServerUnavailableError, QueryError, QueryTimeoutError, SQLRefusedError, TooLargeError)
"""Errors of a table that is left out: one that the user may not read, for instance, or that takes too long."""

OTHER = re.compile(
    r"\W*(interval|\w*range|bool|bytea|\w*blob|(var)?binary|jsonb?|uuid|uniqueidentifier|xml|bit|inet|cidr|macaddr|oid"
    r"|money|geo|point|polygon|line|path|box|circle|vector|tsvector|struct|map|union|variant|tuple|hstore)",
    re.I,
)
NUMBER = re.compile(
    r"\W*((u|tiny|small|medium|big|huge|uhuge|utiny|usmall|ubig)?int|u?integer|(big|small)?serial|num|dec|float|double"
    r"|real|year)",
    re.I,
)
TIME = re.compile(r"\W*(date|time|smalldatetime)", re.I)
LIST = re.compile(r"\[\d*\]\s*$")
OF_LISTS = re.compile(rf"^set\b|{LIST.pattern}", re.I)
"""Types whose values are lists of labels."""
ISO = re.compile(
    r"\d{4}-\d\d(-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?)?)?|\d\d:\d\d(:\d\d)?"
)
NO_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
IDENTIFIER = re.compile(r"[\W\d]*|[0-9a-fA-F-]{32,}")
"""Texts without a letter, UUIDs and hashes: no question spells one that the model could not take from it."""
AMOUNT = r"[-+]?[$€£¥₹]? ?(\d{0,8}|\d{1,3}([.,']\d{3}){1,3})([.,]\d+)? ?[%$€£¥₹]?"
DAY = r"(\d\d?(?P<mark>[-/.])\d\d?(?P=mark)(\d{4}|\d\d)|\d{4}(?P<sign>[-/.])\d\d?(?P=sign)\d\d?)"
CONVERTIBLE = re.compile(rf"{AMOUNT}|{DAY}([ T]\d\d?:\d\d(:\d\d)?)?")
"""Amounts and days, of which it matters how they are written; no telephone, card or insurance numbers."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Counts and values of one column in the rows that were read."""

    rows: int
    present: int
    """Rows that are not NULL."""
    distinct: int | None
    """Different values, as far as it can be told."""
    whole: bool = False
    """Whether these are all rows of the table."""
    values: Sequence[str] = ()
    """The most frequent first: each of them, or MOST_VALUES and one more."""
    least: str = ""
    most: str = ""


def kind_of(type: str) -> Kind:
    """By the name of a type. One that only the database knows, such as an enum's, is text."""
    if LIST.search(type) or OTHER.match(type):
        return "other"
    return "number" if NUMBER.match(type) else "time" if TIME.match(type) else "text"


def in_order(tables: Iterable[Table]) -> list[Table]:
    """Small base tables first: reading them costs least, and kinds and states are in them.

    Empty ones come behind those with rows, and views last.
    """
    listed = [table for table in tables if table.listed and table.columns]
    return sorted(
        listed,
        key=lambda table: (
            table.kind == "view",
            table.row_estimate == 0,
            table.row_estimate is None,
            table.row_estimate or 0,
        ),
    )


def with_labels(profiles: Mapping[Path, ColumnProfile], catalog: Catalog) -> dict[Path, ColumnProfile]:
    """`profiles` in which a column of declared labels has them all as values: those that were seen, then the others.

    They are part of the type, so they are known of columns too that could not be read.
    """
    made = dict(profiles)
    for table in catalog.tables:
        for column in table.columns:
            if not (column.labels and table.listed) or OF_LISTS.search(column.type):
                continue
            path = (table.schema, table.name, column.name)
            profile = made.get(path) or ColumnProfile("text", 0.0, len(column.labels))
            seen = [value for value in profile.values if value in column.labels]
            unseen = [label for label in column.labels if label not in seen]
            made[path] = replace(profile, values=(*seen, *unseen), complete=True, least="", most="")
    return made


def rows_of(columns: int) -> int:
    """The number of rows to read of a table with that many columns."""
    return max(100, min(SAMPLED_ROWS, SAMPLED_CELLS // max(1, columns)))


def told_by(sample: int, present: int, *, whole: bool) -> int | None:
    """The number of different values of a column, of which `present` values have `sample`; None if unknown."""
    return sample if whole or sample <= present / 2 else None  # where nearly all differ, it says nothing of the rest


def profile(kind: Kind, seen: Seen) -> ColumnProfile:
    """Make the profile of a column of that kind."""
    null_share = round(1 - seen.present / seen.rows, 4) if seen.rows else 0.0
    if kind == "other":
        return ColumnProfile(kind, null_share, exact=seen.whole)
    unique = seen.whole and 1 < seen.present == seen.distinct
    made = ColumnProfile(kind, null_share, seen.distinct, exact=seen.whole, unique=unique)
    if kind == "text" or (kind == "time" and seen.values):
        return _texts(made, seen)
    few = kind == "number" and 0 < len(seen.values) <= MOST_NUMBERS and len(seen.values) == seen.distinct
    return replace(
        made,
        least=name_number(seen.least),
        most=name_number(seen.most),
        values=tuple(map(name_number, seen.values)) if few else (),
        complete=few and seen.whole,
    )


def profile_sample(kind: Kind, seen: Seen, most: int) -> ColumnProfile:
    """Make the profile of a column of which `seen` tells the first `most` rows of a table, and one more."""
    whole = seen.rows <= most
    distinct = None if seen.distinct is None else told_by(seen.distinct, seen.present, whole=whole)
    if not whole:  # the first rows of a large table are mostly its oldest
        seen = replace(seen, least="", most="")
    return profile(kind, replace(seen, whole=whole, distinct=distinct))


def name_number(text: str) -> str:
    """The text of a value, in which what is no finite number has the same name whatever the database calls it."""
    return NO_NUMBERS.get(text.lower(), text)


def _texts(made: ColumnProfile, seen: Seen) -> ColumnProfile:
    if all(map(ISO.fullmatch, seen.values)):
        made = replace(made, least=seen.least, most=seen.most)
    short = [value for value in seen.values if len(value) <= LONGEST]
    if made.kind == "time":
        return made if made.least else replace(made, values=tuple(short[:MOST_EXAMPLES]))
    strays = [value for value in short if not NUMERAL.fullmatch(value)]
    if len(strays) <= (1 - NEARLY_ALL) * len(short):
        made = replace(made, strays=tuple(strays[:MOST_STRAYS]))
    if made.few:
        return replace(made, values=tuple(short), complete=seen.whole and len(short) == seen.distinct)
    written = [value for value in short if CONVERTIBLE.fullmatch(value)]
    telling = [value for value in short if not IDENTIFIER.fullmatch(value)]
    examples = written[:MOST_EXAMPLES] if 2 * len(written) > len(short) and not made.least else []
    return replace(made, values=tuple(telling[:MOST_VALUES]), examples=tuple(examples))


def bounded(profiles: Mapping[Path, ColumnProfile]) -> dict[Path, ColumnProfile]:
    """With so many texts in all as an index of them may hold, columns with few of them first."""
    left = MOST_IN_ALL
    bounded_profiles = dict(profiles)
    for path in sorted(profiles, key=lambda path: (not profiles[path].few, len(profiles[path].values))):
        each = profiles[path]
        if len(each.values) > max(0, left):
            bounded_profiles[path] = replace(each, values=each.values[: max(0, left)], complete=False)
        left -= len(each.values)
    return bounded_profiles
