"""Reads conditions between two columns of a row: `cost more than estimated`, `returned late`, `took over 3 days`.

Called by the conditions.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.derivations import have_one_root
from sqlchat.language.tokens import name_words
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.computed import TIME_UNITS, fits, read_operand
from sqlchat.providers.offline.durations import compute, find_day, find_due, find_duration
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import Compare, Versus
from sqlchat.providers.offline.reader import Reader, is_participle

LASTING = lexicon.words(
    "took take takes taking lasted lasts last lasting open stayed stay stays ran run runs were was are is that which "
    "who being kept"
)


def read(reader: Reader) -> bool:
    """`returned after the due date`, `cost more than estimated`, `returned late`."""
    return _read_late(reader) or _read_apart(reader) or _read_versus(reader)


def _read_apart(reader: Reader) -> bool:
    """`delivered more than 3 days after the order`, `paid within 10 days of the invoice date`."""
    mark, table = reader.at, reader.focus.table
    if table is None:
        return False
    reader.skip(lexicon.words("that which who where with were was is are have has had been"))
    left, _ = _read_left(reader, table)
    within = reader.take("within")
    hit = None if within else reader.phrase(lexicon.OPERATORS)
    reader.at += hit[1] if hit is not None else 0
    number, unit = reader.token(), TIME_UNITS.get(reader.low(1), "")
    op = "<=" if within else lexicon.COMPARISONS.get(hit[0], "") if hit is not None else "="
    if number is None or number.value is None or not unit or not op:
        reader.at = mark
        return False
    reader.at += 2
    way = reader.low()
    if way not in ("after", "before", "of", "from") or (way in ("of", "from") and not within):
        reader.at = mark
        return False
    reader.at += 1
    other = read_operand(reader, left)
    if left is None and other is not None and dates.is_date(reader.column(other)):
        days = [Col(table, c.name) for c in reader.linker.tables[table].columns if dates.is_date(c)]
        rest = [col for col in days if col != other]
        left = rest[0] if len(days) == 2 and len(rest) == 1 else None
    timed = left is not None and other is not None and all(dates.is_date(reader.column(col)) for col in (left, other))
    if left is None or other is None or not timed:
        reader.at = mark
        return False
    reader.skip({"date", "day"})
    span = compute(left, other, unit) if way == "before" else compute(other, left, unit)
    reader.assume(f"{span.words[:1].upper()}{span.words[1:]} is compared.")
    reader.add(Compare(span, op, (number.value,)))
    return True


def _read_versus(reader: Reader) -> bool:
    mark, table = reader.at, reader.focus.table
    if table is None:
        return False
    reader.skip(
        lexicon.words("that which who where whose with have has had having a an the their its were was is are")
    )
    once = reader.take("ever")
    left, verb = _read_left(reader, table)
    reader.skip({"is", "was", "are", "were", "for", "much", "at", "with"} if left is not None or verb else ())
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is None or hit[0] not in (*lexicon.COMPARISONS,):
        reader.at = mark
        return False
    reader.at += hit[1]
    right = read_operand(reader, left)
    if left is None and right is not None:
        left = _find_paid(reader, verb, right, table)
    timed = left is not None and dates.is_date(reader.column(left))
    alike = left is not None and right is not None and fits(reader, right, left)
    if not alike or left is None or right is None or (timed != (hit[0] in ("after", "before", "since", "until"))):
        reader.at = mark
        return False
    following = reader.token()
    if following is not None and following.value is not None:
        reader.at = mark
        return False
    reader.skip({"date", "was", "were"})
    if left.table != table and reader.joins.distance(table, left.table)[0] > 1:
        if not once:
            raise QuestionError(
                f"Each of {table[1]} may have several rows of {left.table[1]}: say whether one of them is enough.",
                words=[verb or left.name],
                reason="ambiguous",
                rewrites=[(verb, f"ever {verb}")] if verb else [],
            )
        reader.relate(left.table, loose=False)
    reader.add(Versus(left, lexicon.COMPARISONS[hit[0]], right))
    reader.assume(f"{left.table[1]}.{left.name} is compared with {right.table[1]}.{right.name} of the same row.")
    return True


def _read_left(reader: Reader, table: Key) -> tuple[Col | None, str]:
    """The column that is compared, or the verb that may tell it."""
    for link in reader.links():
        hits = [hit for hit in link.columns if hit.col.table == table and fits(reader, hit.col, None)]
        if hits and not link.values:
            reader.at += link.size
            return reader.resolve(hits, link.text, table).col, ""
    word = reader.low()
    if word and (is_participle(word) or word in lexicon.VERBS) and word not in lexicon.FUNCTION:
        day = find_day(reader, word)
        reader.at += 1
        return (day, "") if day is not None and day.table == table else (None, word)
    return None, ""


def _find_paid(reader: Reader, verb: str, right: Col, table: Key) -> Col | None:
    """The number that a verb tells beside `right`: `sold above list price` compares `sale_price`.

    Without a verb the one with the same last word: `above list price` compares the price of a sale.
    """
    last = reader.linker.column_words(right.table, right.name)[-1]
    below = [key for key in reader.linker.tables if key != table and reader.joins.distance(key, table)[0] == 1]
    for tables in ([table], below):
        found = []
        for key in tables:
            for column in reader.linker.tables[key].columns:
                parts = reader.linker.column_words(key, column.name)
                said = (*parts, *name_words(column.name))
                fits = any(verb == part or have_one_root(verb, part) for part in said) if verb else parts[-1] == last
                if fits and dates.is_number(column) and Col(key, column.name) != right:
                    found.append(Col(key, column.name))
        if found:
            return found[0] if len(found) == 1 and (verb or tables == [table]) else None
    return None


def _read_late(reader: Reader) -> bool:
    """`late`, `returned late`, `on time`, `more than 3 days late`: against the day on which it was due."""
    mark, table = reader.at, reader.focus.table
    if table is None:
        return False
    reader.skip(lexicon.words("that which who were was is are have has been being"))
    done = reader.low() if is_participle(reader.low()) or reader.low() in lexicon.VERBS else ""
    reader.at += bool(done)
    hit = reader.phrase(lexicon.OPERATORS)
    number = reader.token(hit[1]) if hit is not None else reader.token()
    size = hit[1] if hit is not None else 0
    unit = TIME_UNITS.get(reader.low(size + 1), "") if number is not None and number.value is not None else ""
    if unit and number is not None:
        reader.at += size + 2
    word = reader.low()
    on_time = reader.take("on", "time")
    if not on_time and word not in ("late", "overdue", "early"):
        reader.at = mark
        return False
    reader.at += not on_time
    limit, end = find_due(reader, table, done)
    if limit is None or end is None or (word == "overdue" and not done):
        reader.at = mark
        return False
    reader.assume(f"{end.name} is compared with {limit.table[1]}.{limit.name} of the same row.")
    if unit and number is not None and number.value is not None and not on_time:
        days = compute(limit, end, unit) if word != "early" else compute(end, limit, unit)
        reader.add(Compare(days, lexicon.COMPARISONS.get(hit[0], "=") if hit is not None else "=", (number.value,)))
        return True
    reader.add(Versus(end, "<=" if on_time else "<" if word == "early" else ">", limit))
    return True


def read_lasting(reader: Reader) -> bool:
    """`took more than 3 days`, `open for over 2 weeks`, `longer than 2 hours`: of how long a row lasted."""
    mark, table = reader.at, reader.focus.table
    seen = False
    while reader.low() in LASTING or (seen and reader.low() in ("for", "to")):
        seen = seen or reader.low() in LASTING
        reader.at += 1
    hit = reader.phrase(lexicon.OPERATORS)
    token = reader.token(hit[1]) if hit is not None else None
    unit = TIME_UNITS.get(reader.low(hit[1] + 1), "") if hit is not None else ""
    longer = hit is not None and reader.low() in ("longer", "shorter")
    if table is None or hit is None or token is None or token.value is None or not unit or not (seen or longer):
        reader.at = mark
        return False
    span = find_duration(reader, table, unit)
    if span is None:
        reader.at = mark
        return False
    reader.at += hit[1] + 2
    reader.at += 2 if reader.low() == "to" and reader.token(1) is not None else 0
    op = lexicon.COMPARISONS.get(hit[0])
    if op is None:
        raise QuestionError("The time is not clear here.", words=[reader.low(-1)])
    reader.assume(f"How long it took is {span.words}.")
    reader.add(Compare(span, op, (token.value,)))
    return True
