"""Makes profiles of columns from counts and values that each database's own module reads, within shared bounds."""

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
"""Most rows of a table that are read; fewer if the table has many columns."""
MOST_VALUES = 1_000
"""Most texts of one column; the most frequent ones stay."""
MOST_IN_ALL = 30_000
"""Most texts of all columns together."""
MOST_NUMBERS = 8
"""Most different numbers of one column; if there are more, their range is enough."""
MOST_EXAMPLES = 6
"""Most amounts, and dates in a form that does not sort, that show how a column writes them."""
MOST_STRAYS = 3
NEARLY_ALL = 0.8
LONGEST = 100
"""Characters; longer texts are prose that no question names."""

UNREADABLE = (ForeignServerUnavailableError, QueryError, QueryTimeoutError, SQLRefusedError, TooLargeError)
"""Errors after which a table is left out: the user may not read it, for instance, or it takes too long."""

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
"""Texts without a letter, UUIDs and hashes: if a question names one, the model copies it from there."""
AMOUNT = r"[-+]?[$€£¥₹]? ?(\d{0,8}|\d{1,3}([.,']\d{3}){1,3})([.,]\d+)? ?[%$€£¥₹]?"
DAY = r"(\d\d?(?P<mark>[-/.])\d\d?(?P=mark)(\d{4}|\d\d)|\d{4}(?P<sign>[-/.])\d\d?(?P=sign)\d\d?)"
CONVERTIBLE = re.compile(rf"{AMOUNT}|{DAY}([ T]\d\d?:\d\d(:\d\d)?)?")
"""Amounts and days: SQL must know how they are written. No telephone, card or insurance numbers."""


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """Counts and values of one column in the rows that were read."""

    rows: int
    present: int
    """Rows that are not NULL."""
    distinct: int | None
    """Different values; None if unknown."""
    whole: bool = False
    """Whether the sample has all rows of the table."""
    values: Sequence[str] = ()
    """The most frequent first: all of them, or MOST_VALUES and one more."""
    least: str = ""
    most: str = ""


def find_kind(type: str) -> Kind:
    """Return the kind of a type by its name. A type that only the database knows, such as an enum, is text."""
    if LIST.search(type) or OTHER.match(type):
        return "other"
    return "number" if NUMBER.match(type) else "time" if TIME.match(type) else "text"


def order_tables(tables: Iterable[Table]) -> list[Table]:
    """Return the listed tables: small ones first, which cost least to read, then empty ones, and views last."""

    def rank(table: Table) -> tuple[bool, bool, bool, int]:
        rows = table.row_estimate
        return table.kind == "view", rows == 0, rows is None, rows or 0

    return sorted((table for table in tables if table.listed and table.columns), key=rank)


def add_labels(profiles: Mapping[Path, ColumnProfile], catalog: Catalog) -> dict[Path, ColumnProfile]:
    """Give each column with declared labels all of them as values: first those in its profile, then the others.

    Labels are part of the type, so a column that could not be read gets a profile too.
    """
    labelled = dict(profiles)
    for table in catalog.tables:
        for column in table.columns:
            if not (column.labels and table.listed) or OF_LISTS.search(column.type):
                continue
            path = (table.schema, table.name, column.name)
            profile = labelled.get(path) or ColumnProfile("text", 0.0, len(column.labels))
            seen = [value for value in profile.values if value in column.labels]
            unseen = [label for label in column.labels if label not in seen]
            labelled[path] = replace(profile, values=(*seen, *unseen), complete=True, least="", most="")
    return labelled


def limit_sample(columns: int) -> int:
    """Return the number of rows to read of a table with that many columns."""
    return max(100, min(SAMPLED_ROWS, SAMPLED_CELLS // max(1, columns)))


def estimate_distinct(distinct: int, present: int, *, whole: bool) -> int | None:
    """Return the number of different values of a column whose sample has `distinct` in `present`; None if unknown."""
    return distinct if whole or distinct <= present / 2 else None  # if nearly all differ, the others are unknown


def make_profile(kind: Kind, sample: ColumnSample) -> ColumnProfile:
    """Make the profile of a column of that kind."""
    null_share = round(1 - sample.present / sample.rows, 4) if sample.rows else 0.0
    if kind == "other":
        return ColumnProfile(kind, null_share, exact=sample.whole)
    unique = sample.whole and 1 < sample.present == sample.distinct
    profile = ColumnProfile(kind, null_share, sample.distinct, exact=sample.whole, unique=unique)
    if kind == "text" or (kind == "time" and sample.values):
        return _add_texts(profile, sample)
    few = kind == "number" and 0 < len(sample.values) <= MOST_NUMBERS and len(sample.values) == sample.distinct
    return replace(
        profile,
        least=name_number(sample.least),
        most=name_number(sample.most),
        values=tuple(map(name_number, sample.values)) if few else (),
        complete=few and sample.whole,
    )


def make_sample_profile(kind: Kind, sample: ColumnSample, most: int) -> ColumnProfile:
    """Make the profile of a column from a sample of the first `most` rows of a table and one more."""
    whole = sample.rows <= most
    distinct = None if sample.distinct is None else estimate_distinct(sample.distinct, sample.present, whole=whole)
    if not whole:  # the first rows of a large table are mostly its oldest
        sample = replace(sample, least="", most="")
    return make_profile(kind, replace(sample, whole=whole, distinct=distinct))


def name_number(text: str) -> str:
    """Return the text of a number. NaN and the infinities have the same name for each database."""
    return NO_NUMBERS.get(text.lower(), text)


def _add_texts(profile: ColumnProfile, sample: ColumnSample) -> ColumnProfile:
    if all(map(ISO.fullmatch, sample.values)):
        profile = replace(profile, least=sample.least, most=sample.most)
    short = [value for value in sample.values if len(value) <= LONGEST]
    if profile.kind == "time":
        return profile if profile.least else replace(profile, values=tuple(short[:MOST_EXAMPLES]))
    strays = [value for value in short if not NUMERAL.fullmatch(value)]
    if len(strays) <= (1 - NEARLY_ALL) * len(short):
        profile = replace(profile, strays=tuple(strays[:MOST_STRAYS]))
    if profile.few:
        return replace(profile, values=tuple(short), complete=sample.whole and len(short) == sample.distinct)
    written = [value for value in short if CONVERTIBLE.fullmatch(value)]
    telling = [value for value in short if not IDENTIFIER.fullmatch(value)]
    examples = written[:MOST_EXAMPLES] if 2 * len(written) > len(short) and not profile.least else []
    return replace(profile, values=tuple(telling[:MOST_VALUES]), examples=tuple(examples))


def limit_values(profiles: Mapping[Path, ColumnProfile]) -> dict[Path, ColumnProfile]:
    """Cut values so that all columns together have at most MOST_IN_ALL; columns with few values keep theirs."""
    left = MOST_IN_ALL
    limited = dict(profiles)
    for path in sorted(profiles, key=lambda path: (not profiles[path].few, len(profiles[path].values))):
        profile = profiles[path]
        if len(profile.values) > left:
            limited[path] = replace(profile, values=profile.values[:left], complete=False)
        left = max(0, left - len(profile.values))
    return limited
