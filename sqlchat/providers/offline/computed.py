"""Reads numbers that two columns of a row give: `days between order and delivery`, `price minus cost`, `repair time`.

Called by the outputs, the aggregates, the conditions, and for adjectives such as `longest`.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import dates, grain, things
from sqlchat.providers.offline.durations import choose_unit, compute, find_day, find_due, find_duration
from sqlchat.providers.offline.links import Col, Computed, Hit, Key
from sqlchat.providers.offline.query import Asked
from sqlchat.providers.offline.ratios import read_quantity, tell
from sqlchat.providers.offline.reader import Reader

TIME_UNITS = {
    "minute": "minutes", "minutes": "minutes", "hour": "hours", "hours": "hours", "day": "days", "days": "days",
    "week": "weeks", "weeks": "weeks",
}  # fmt: skip
SPANS = lexicon.words("time delay gap interval duration period span lag difference wait margin spread")
"""Words before `between`; of dates."""
TAKING = lexicon.words("time duration length turnaround delay lag")
"""Nouns for how long things take: `delivery time`, `duration of repairs`."""
DISTANCES = {("minus",): "minus", ("divided", "by"): "over", ("less",): "minus"}
BETWEEN = frozenset({"per", *(phrase[0] for phrase in DISTANCES)})
"""Words without which no arithmetic is read."""


def read(reader: Reader) -> Asked | None:
    """What is asked for next, if two columns give it; None, and nothing read, otherwise."""
    mark, kept = reader.at, list(reader.query.assumptions)
    try:
        found = next((one for one in (way(reader, mark) for way in WAYS) if one is not None), None)
    except QuestionError:
        found = None
    if found is None:
        reader.at, reader.query.assumptions[:] = mark, kept
        return None
    reader.assume(tell(found))
    text = " ".join(token.text for token in reader.tokens[mark : reader.at])
    return Asked("column", text, [], [Hit(found, 0)], owner=found.table)


def _read_between(reader: Reader, mark: int) -> Computed | None:
    """`days between A and B`, `hours from A to B`, `difference between A and B`."""
    reader.at = mark
    reader.skip({"the", "number", "of", "time", "in"} if reader.low() in ("number", "time", "the") else ())
    reader.at -= reader.low() in ("between", "from") and reader.low(-1) == "time"
    word = reader.low()
    unit = TIME_UNITS.get(word, "")
    if not unit and word not in SPANS:
        return None
    reader.at += 1
    if reader.take("in"):
        unit = TIME_UNITS.get(reader.low(), "")
        reader.at += bool(unit)
    if not (reader.take("between") or reader.take("from") or reader.take("it", "takes", "from")):
        return None
    start = read_operand(reader, None)
    if start is None or not (reader.take("and") or reader.take("to") or reader.take("until") or reader.take("till")):
        return None
    end = read_operand(reader, start)
    if end is None:
        return None
    unit = unit or _read_unit(reader)
    if dates.is_date(reader.column(start)):
        return compute(start, end, unit or choose_unit(reader, start, end))
    return compute(start, end, "minus") if word in ("difference", "margin", "gap", "spread") and not unit else None


def _read_ratio(reader: Reader, mark: int) -> Computed | None:
    """`ratio of A to B`, `A as a ratio of B`."""
    reader.at = mark
    if not reader.take("ratio", "of") and not reader.take("ratio", "between"):
        return None
    left = read_operand(reader, None)
    if left is None or not (reader.take("to") or reader.take("and")):
        return None
    right = read_operand(reader, left)
    return compute(left, right, "over") if right is not None and dates.is_number(reader.column(left)) else None


def _read_arithmetic(reader: Reader, mark: int) -> Computed | None:
    """`A minus B`, `A divided by B`."""
    reader.at = mark
    if BETWEEN.isdisjoint(token.low for token in reader.tokens[mark:]):
        return None
    left = read_operand(reader, None)
    if left is not None and reader.low() == "per" and grain.is_divisible(reader.linker, left):
        reader.at += 1
        over = read_quantity(reader, left.table)
        return compute(left, over, "over") if over not in (None, left) else None
    kind = next((kind for phrase, kind in DISTANCES.items() if left is not None and reader.take(*phrase)), None)
    right = read_operand(reader, left) if kind is not None else None
    if left is None or right is None or kind is None or not dates.is_number(reader.column(left)):
        return None
    return compute(left, right, kind)


def _read_taking(reader: Reader, mark: int) -> Computed | None:
    """`delivery time`, `duration of the repairs`, `length of stay`: where no column holds it."""
    reader.at = mark
    link = reader.link()
    delayed = "delay" in (reader.low(), reader.low(1))
    find = _find_delay if delayed else find_duration
    if reader.low() in TAKING and (link is None or not (link.columns or link.values)):
        reader.at += 1
        unit = _read_unit(reader)
        if not reader.take("of"):
            return None
        reader.skip({"the", "a", "an", "each", "all", "our", "every"})
        before = len(reader.query.conditions)
        thing = things.read_thing(reader)
        if thing is None or thing.table is None:
            del reader.query.conditions[before:]
            return None
        again = reader.link()
        same = again is not None and any(other.target == thing.table for other in again.tables)
        reader.at += again.size if again is not None and same else 0
        found = find(reader, thing.table, unit or _read_unit(reader))
        if found is None:
            del reader.query.conditions[before:]
        return found
    if link is not None and any(word in TAKING for word in link.text.lower().split()):
        return None
    size = link.size if link is not None and link.tables else 1
    if reader.low(size) not in TAKING or reader.low() in lexicon.FUNCTION:
        return None
    start_at = reader.at
    table = None
    if link is not None and link.tables:
        hit = reader.table_of(link)
        table = hit.key if hit is not None else None
    day = None if table is not None else find_day(reader, reader.tokens[start_at].low)
    reader.at += size + 1
    unit = _read_unit(reader)
    if day is not None:
        start = reader.time_column(day.table)
        if start is None or start == day:
            return None
        return compute(start, day, unit or choose_unit(reader, start, day))
    return find(reader, table, unit) if table is not None else None


WAYS = (_read_between, _read_ratio, _read_arithmetic, _read_taking)


def _find_delay(reader: Reader, table: Key, unit: str) -> Computed | None:
    """From the day on which something was due to the one on which it happened."""
    due, end = find_due(reader, table, "")
    return compute(due, end, unit or choose_unit(reader, due, end)) if due is not None and end is not None else None


def _read_unit(reader: Reader) -> str:
    """`in days`, `(hours)` after what is measured; an empty text where there is none."""
    for lead in (("in",), ("(", "in"), ("(",)):
        unit = TIME_UNITS.get(reader.low(len(lead)), "")
        if unit and all(reader.low(at) == word for at, word in enumerate(lead)):
            reader.at += len(lead) + 1
            reader.take(")")
            return unit
    return ""


def read_operand(reader: Reader, other: Col | None) -> Col | None:
    """A column of numbers or dates; `other` is the one that it goes with."""
    mark = reader.at
    reader.skip({"the", "a", "an", "its", "their", "when", "it", "they", "was", "were", "is", "of", "being"})
    table = other.table if other is not None else reader.focus.table or reader.query.subject
    for link in reader.links():
        hits = [hit for hit in link.columns if fits(reader, hit.col, other)]
        if hits:
            reader.at += link.size
            return reader.resolve(hits, link.text, table).col
    thing = reader.link()
    if thing is not None and thing.tables and (hit := reader.table_of(thing)) is not None:
        day = reader.time_column(hit.key, by_deed=False)
        if day is not None and day != other and (other is None or fits(reader, day, other)):
            reader.at += thing.size
            return day
    token = reader.token()
    if token is not None and token.kind == "word" and (other is None or dates.is_date(reader.column(other))):
        day = find_day(reader, token.low, other)
        if day is not None:
            reader.at += 1
            reader.skip({"in", "out", "on"} if reader.low(1) in ("and", "to") else ())
            return day
    reader.at = mark
    return None


def fits(reader: Reader, col: Col, other: Col | None) -> bool:
    column = reader.column(col)
    if reader.linker.is_key(col) or reader.linker.is_flag(col):
        return False
    if other is None:
        return dates.is_date(column) or dates.is_number(column)
    alike = dates.is_date(column) == dates.is_date(reader.column(other)) and (
        dates.is_date(column) or dates.is_number(column)
    )
    return alike and col != other and reader.joins.distance(other.table, col.table)[0] <= 1
