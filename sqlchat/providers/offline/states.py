"""Reads what a row is today by its days: `current leases`, `overdue payments`. Called by outputs and conditions."""

from __future__ import annotations

from datetime import date, timedelta

from sqlchat.language import lexicon
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.durations import DUE, find_duration, is_one_of
from sqlchat.providers.offline.links import Col, Key, Link
from sqlchat.providers.offline.query import AnyOf, Condition, Null, Period
from sqlchat.providers.offline.reader import Reader

CURRENT = lexicon.words("current active ongoing running valid")
COMING = lexicon.words("upcoming forthcoming future")
DESCRIBING = CURRENT | COMING | {"overdue"}
LEADING = lexicon.words("that which who are is were was currently still be")


def read_described(reader: Reader) -> tuple[list[Condition], Link | None]:
    """The conditions of `current` in `current leases`, stepped over, and the link of the table after it."""
    word, following = reader.low(), reader.link(reader.at + 1)
    if word not in DESCRIBING or reader.links() or following is None or not following.tables:
        return [], None
    hit = reader.table_of(following)
    found = make_conditions(reader, hit.key, word) if hit is not None else []
    reader.at += bool(found)
    return found, following if found else None


def read(reader: Reader) -> bool:
    """`are overdue`, `that are still running`: conditions on what is spoken of."""
    mark, table = reader.at, reader.focus.table
    reader.skip(LEADING)
    word = reader.low()
    if table is None or word not in DESCRIBING or reader.links():
        reader.at = mark
        return False
    reader.at += 1
    days = _read_days(reader) if word in CURRENT else None
    found = make_conditions(reader, table, word, days)
    if not found:
        reader.at = mark
        return False
    for condition in found:
        reader.add(condition)
    return True


def _today(reader: Reader) -> tuple[date, date]:
    return reader.today, reader.today + timedelta(days=1)


def _read_days(reader: Reader) -> tuple[date, date] | None:
    """`today` of `valid today`, `in March 2026`: the days in which rows are to have been so, stepped over."""
    mark = reader.at
    reader.skip({"in", "on", "during", "as", "of"})
    span = dates.read(reader.tokens, reader.at, reader.today)
    reader.at = mark if span is None else reader.at + span.size
    return None if span is None else (span.start, span.end)


def make_conditions(reader: Reader, table: Key, word: str, days: tuple[date, date] | None = None) -> list[Condition]:
    today, tomorrow = (day.isoformat() for day in days or _today(reader))
    if word in COMING:
        time = reader.time_column(table)
        if time is None or not dates.is_date(reader.column(time)):
            return []
        reader.assume(f"{word.capitalize()} is what lies after today, {today}, by {time.table[1]}.{time.name}.")
        return [Period(time, tomorrow, None)]
    span = find_duration(reader, table)
    if word == "overdue":
        columns = [c for c in reader.linker.tables[table].columns if dates.is_date(c)]
        due = [c.name for c in columns if is_one_of(reader.linker.column_words(table, c.name), DUE)]
        if len(due) != 1:
            return []
        later = columns[
            [c.name for c in columns].index(due[0]) + 1 :
        ]  # what was received before is not settled by it
        ends = [Col(table, c.name) for c in later if c.nullable]
        named = [col for col in ends if is_one_of(reader.linker.column_words(table, col.name), ENDED_LATER)]
        ends = named or (ends if len(ends) == 1 else [])
        if not ends and len(columns) > 1:
            return []
        reader.assume(f"Overdue is what was due before today, {today}, by {table[1]}.{due[0]}.")
        return [Period(Col(table, due[0]), None, today), *(Null(col) for col in ends[:1])]
    if span is None:
        return []
    shown = (
        f"by today, {today}" if days == _today(reader) else f"in the days from {today} up to and without {tomorrow}"
    )
    reader.assume(f"{word.capitalize()} is what has begun and not ended {shown}.")
    ended = AnyOf((Null(span.right), Period(span.right, today, None)))
    return [Period(span.left, None, tomorrow), ended]


ENDED_LATER = lexicon.words(
    "returned return paid received delivered done closed completed resolved finished ended end fixed"
)
