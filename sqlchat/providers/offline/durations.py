"""Finds how long a row lasted: from its first day to the one on which it ended."""

from __future__ import annotations

from datetime import date

from sqlchat.language import lexicon
from sqlchat.language.abbreviations import LIKELY, POSSIBLE, weigh_short_form
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import stem
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.cursor import Cursor
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed, Key

CLOCKS = lexicon.words("at time")
DUE = lexicon.words("due deadline expected planned promised scheduled required target estimated")
"""Words of columns with the day on which something is to happen."""
BORN = lexicon.words("birth born birthday birthdate dob")
ENDED = lexicon.words(
    "end ended ends to until out term terminated left leave dropped lost closed resolved completed finished returned "
    "return delivered delivery discharged discharge fixed solved done shipped checkout paid departed departure "
    "repaired received arrived arrival landed"
)


def list_births(linker: Linker) -> list[Col]:
    """The columns that tell the day of somebody's birth, if none tells an age."""
    columns = [Col(key, column.name) for key, table in linker.tables.items() for column in table.columns]
    if any("age" in linker.column_words(col.table, col.name) for col in columns):
        return []
    days = [col for col in columns if dates.is_date(linker.catalog_column(col))]
    return [col for col in days if not BORN.isdisjoint(linker.column_words(col.table, col.name))]


def compute_age(col: Col, today: date) -> Computed:
    """How many whole years have passed since the day of birth."""
    return Computed(col.table, "age", "age", col, col, day=today.isoformat())


def compute_elapsed(col: Col, unit: str, today: date) -> Computed:
    """How long before today the day was."""
    return Computed(col.table, f"{unit}_since", unit, col, col, day=today.isoformat())


def is_one_of(names: tuple[str, ...], group: frozenset[str]) -> bool:
    """Whether one of the words, or what it is short for, is in the group: `recv` for received."""
    if not group.isdisjoint(names):
        return True
    shorts = [name for name in names if 3 <= len(name) <= 5 and name not in ("date", "time", "day")]
    return any(
        weigh_short_form(name, word) >= (POSSIBLE if len(name) > 3 else LIKELY)
        for name in shorts
        for word in group
        if len(word) > len(name) + 1
    )


def compute(left: Col, right: Col, kind: str) -> Computed:
    names = {"minus": "difference", "over": "ratio"}
    return Computed(left.table, names.get(kind, kind), kind, left, right)


def choose_unit(reader: Cursor, *cols: Col) -> str:
    """Hours where both columns keep the time of the day, else days."""
    clocks = all(
        "time" in reader.column(col).type.lower()
        or not CLOCKS.isdisjoint(reader.linker.column_words(col.table, col.name))
        for col in cols
    )
    return "hours" if clocks else "days"


def find_duration(reader: Cursor, table: Key, unit: str = "") -> Computed | None:
    """How long a row of the table lasted: from its first day to the one on which it ended, if that is clear."""
    columns = [c for c in reader.linker.tables[table].columns if dates.is_date(c)]
    words = {c.name: reader.linker.column_words(table, c.name) for c in columns}
    columns = [c for c in columns if not is_one_of(words[c.name], DUE) and BORN.isdisjoint(words[c.name])]
    ends = [c for c in columns[1:] if is_one_of(words[c.name], ENDED)]
    named = [c for c in ends if not {"end", "ended", "out"}.isdisjoint(words[c.name])]
    ends = named if len(named) == 1 else ends
    if len(ends) != 1 or columns[0].name == ends[0].name:
        return None
    start, end = Col(table, columns[0].name), Col(table, ends[0].name)
    return compute(start, end, unit or choose_unit(reader, start, end))


def _is_named_by(verb: str, words: tuple[str, ...]) -> bool:
    return any(stem(verb) == stem(w) or have_one_root(verb, w) or weigh_short_form(w, verb) > 0 for w in words)


def find_due(reader: Cursor, table: Key, done: str) -> tuple[Col | None, Col | None]:
    """The day on which rows of the table were due, and that on which it was `done` or they ended, if clear."""
    columns = [c.name for c in reader.linker.tables[table].columns if dates.is_date(c)]
    words = {name: reader.linker.column_words(table, name) for name in columns}
    due = [n for n in columns if is_one_of(words[n], DUE)]
    ends = [n for n in columns if n not in due and is_one_of(words[n], ENDED)]
    if len(ends) > 1:  # the first day is that of the beginning
        ends = [n for n in ends if n != columns[0]]
    if done:
        ends = [n for n in ends if _is_named_by(done, words[n])] or ends
    if len(due) != 1 or len(ends) != 1 or CLOCKS.isdisjoint(words[due[0]]) != CLOCKS.isdisjoint(words[ends[0]]):
        return None, None  # a day is no moment
    return Col(table, due[0]), Col(table, ends[0])


def find_day(reader: Cursor, word: str, other: Col | None = None) -> Col | None:
    """The one column of dates whose name has the root of `word`: `ordering` for `order_date`."""
    tables = [other.table] if other is not None else list(reader.linker.tables)
    found = [
        Col(table, column.name)
        for table in tables
        for column in reader.linker.tables[table].columns
        if dates.is_date(column)
        and any(
            part == word or stem(part) == stem(word) or have_one_root(word, part)
            for part in reader.linker.column_words(table, column.name)
            if part not in lexicon.IN and part not in ("date", "time", "day")
        )
    ]
    table = reader.focus.table or reader.query.subject
    found = [col for col in found if col.table == table] or found
    return found[0] if len(found) == 1 else None
