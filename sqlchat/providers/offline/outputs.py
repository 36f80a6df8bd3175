"""What a question asks to see: its list of columns, aggregates and things. Called by the grammar."""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import (
    aggregates,
    amounts,
    computed,
    dates,
    flags,
    grain,
    nouns,
    periods,
    refusal,
    states,
    things,
)
from sqlchat.providers.offline.links import Col, Link
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import Asked, Extreme, Period
from sqlchat.providers.offline.reader import Reader, is_participle

SIZES = {"largest": True, "biggest": True, "highest": True, "smallest": False, "lowest": False}
FIRST_DAY = {"latest": "max", "earliest": "min"}
FREQUENT = lexicon.words("frequent common popular")


def read_list(reader: Reader) -> list[Asked]:
    """The things asked for from here on; stops before the first word that is no part of the list."""
    found: list[Asked] = []
    while True:
        before = reader.at
        reader.skip_leads()
        asked = read_one(reader, first=not found)
        if asked is None:
            reader.at = before
            return found
        found.append(asked)
        before = reader.at
        if not reader.take_any(aggregates.JOINERS):
            return found
        mark = reader.at
        reader.skip_leads()
        if not starts_output(reader):
            reader.at = before
            return found
        reader.at = mark


def starts_output(reader: Reader, ahead: int = 0) -> bool:
    """Whether what comes next, or some words ahead, can be one more thing of the list."""
    mark, conditions, assumptions = reader.at, list(reader.query.conditions), list(reader.query.assumptions)
    order, limit = list(reader.query.order), reader.query.limit
    focus, frequent = reader.focus, reader.most_frequent
    reader.at += ahead
    try:
        asked = read_one(reader, first=False)
        if asked is None:
            return False
        return not (asked.kind == "column" and not asked.functions and is_compared(reader))
    except QuestionError:
        return False
    finally:
        reader.at, reader.focus, reader.most_frequent = mark, focus, frequent
        reader.query.conditions[:] = conditions
        reader.query.assumptions[:] = assumptions
        reader.query.order, reader.query.limit = order, limit


def is_compared(reader: Reader) -> bool:
    """Whether a comparison follows, which makes the column before it a condition."""
    mark = reader.at
    reader.skip({"is", "are", "was", "were", "of", "equal"})
    following = reader.token()
    result = reader.phrase(lexicon.OPERATORS) is not None or (
        following is not None and (following.kind in ("number", "text") or following.value is not None)
    )
    reader.skip(lexicon.IN)
    result = result or dates.read(reader.tokens, reader.at, reader.today) is not None
    reader.at = mark
    return result


def read_one(reader: Reader, *, first: bool) -> Asked | None:
    """One thing: `name`, `average age`, `number of orders`, `the youngest singer`, `completed orders`."""
    if (again := _repeat_count(reader)) is not None:
        return again
    if not reader.most_frequent and (size := _find_most_frequent(reader)):
        reader.query.limit = things.read_number(reader) if size == 3 else None
        reader.at += 2
        reader.most_frequent = True
    if first and (way := FIRST_DAY.get(reader.low())) and reader.low(1) == "day":
        reader.at += 2
        return Asked("unit", "day", [way], unit="day")
    distinct = aggregates.take_distinct(reader)
    functions = aggregates.read_functions(reader)
    distinct = aggregates.take_distinct(reader) or distinct
    if functions:
        return aggregates.read_aggregated(reader, functions, distinct)
    if (figure := computed.read(reader)) is not None:
        return figure
    paired = (reader.low(), reader.low(1)) in lexicon.MOST_ADJECTIVES
    extreme = _read_extreme(reader) if not paired else None
    if extreme is not None:
        return extreme
    if first and (leading := _read_leading(reader)) is not None:
        return leading
    if (flags.find_flag(reader) is not None or reader.low() in states.DESCRIBING) and (
        qualified := things.read_qualified(reader)
    ) is not None:
        return qualified
    link = reader.link()
    exact = link is not None and any(hit.tier == 0 for hit in link.values) and all(hit.tier for hit in link.columns)
    if (
        exact
        and link is not None
        and link.columns
        and not link.tables
        and (narrowed := things.read_qualified(reader)) is not None
    ):
        return narrowed
    unit = dates.find_unit(reader.low())
    exactly = link is not None and any(hit.tier == 0 for hit in link.values)  # `annual customers`, by their plan
    if unit and unit != reader.low().rstrip("s") and reader.low() not in ("days",) and first and not exactly:
        return _read_per_unit(reader, unit)
    if link is None:
        link = Link(reader.at, 1, reader.low())
    if link.columns or link.tables or link.measures:
        return _plain(reader, link, distinct)
    if link.values and (qualified := things.read_qualified(reader)) is not None:
        return qualified
    if unit and not link.values:
        text = reader.low()
        reader.at += 1
        return Asked("unit", text, unit=unit)
    return None


def _find_most_frequent(reader: Reader) -> int:
    """The number of words of `most common`, `3 most frequent`, if the value of a repeating column follows; else 0."""
    size = 3 if (token := reader.token()) is not None and isinstance(token.value, int) else 2
    if reader.low(size - 2) != "most" or reader.low(size - 1) not in FREQUENT:
        return 0
    link = reader.link(reader.at + size)
    best = min((hit.tier for hit in link.columns), default=9) if link is not None else 9
    cols = [hit.col for hit in link.columns if hit.tier == best] if link is not None else []
    named = bool(cols) and link is not None and not link.tables
    return size if named and all(grain.may_repeat(reader.linker, col) for col in cols) else 0


def _repeat_count(reader: Reader) -> Asked | None:
    """`the number`, in a later sentence: what an earlier one asked to count."""
    counted = [item for item in reader.earlier if item.functions]
    alone = reader.token(1) is None or reader.low(1) in (",", "and")
    if len(counted) == 1 and alone and reader.low() in ("number", "count", "total", "amount", "numbers", "counts"):
        reader.at += 1
        return counted[0]
    return None


def _read_per_unit(reader: Reader, unit: str) -> Asked | None:
    """`monthly revenue`, `yearly number of orders`."""
    mark = reader.at
    reader.at += 1
    asked = read_one(reader, first=False)
    added = asked is not None and asked.kind == "column" and bool(asked.hits)
    added = added and all(grain.is_added_up(reader.linker, hit.col) for hit in (asked.hits if asked else ()))
    if asked is None or (not asked.functions and asked.kind != "table" and not added):
        reader.at = mark
        return None
    asked.functions = asked.functions or ["sum" if added else "count"]
    reader.unit = unit
    return asked


def _is_said_of(reader: Reader, link: Link) -> bool:
    """Whether a participle behind the things says yes or no of them: `orders shipped`."""
    nearest = min(hit.tier for hit in link.columns)
    best = [hit.target for hit in link.columns if hit.tier == nearest]
    flagged = all(isinstance(col, Col) and reader.linker.is_flag(col) for col in best)
    return flagged and is_participle(reader.tokens[link.start].low)


def _read_extreme(reader: Reader) -> Asked | None:
    """`the highest price`: an aggregate, where a column comes straight after and no thing it belongs to."""
    hit = reader.phrase(lexicon.SUPERLATIVES) or _find_length(reader)
    if (
        hit is None
        or reader.low() in ("top", "bottom", "best", "worst")
        or "of" in reader.tokens[reader.at + hit[1] - 1].low
    ):
        return None
    direction, size = hit
    link = reader.link(reader.at + size)
    if link is None or not link.columns or link.tables:
        return None
    if reader.low() in ("most", "fewest", "least") and size == 1:
        return None
    reader.at += size + link.size
    return Asked("column", link.text, ["max" if direction == "desc" else "min"], link.columns)


def _read_extreme_value(reader: Reader, asked: Asked, options: tuple[tuple[str, str], ...]) -> Asked | None:
    """`the most expensive dish`, of receipts: the values in the rows with the highest price."""
    cols = [hit.col for hit in asked.hits if grain.is_category(reader.linker, hit.col)]
    if asked.kind != "column" or asked.functions or len(cols) != 1 or len(asked.hits) != 1:
        return None
    found = reader.adjective(options, cols[0].table)
    if found is None or not dates.is_number(reader.column(found[0])):
        return None
    way = "highest" if found[1] == "desc" else "lowest"
    reader.assume(f"The {way} {found[0].table[1]}.{found[0].name} of a row is taken.")
    reader.query.conditions.append(Extreme(found[0], found[1] == "desc"))
    asked.distinct = True
    return asked


def _read_largest(reader: Reader, word: str) -> Asked | None:
    """`largest invoice`: by the one column of money of the invoices."""
    link = reader.link(reader.at + 1)
    dated = link is not None and all(dates.is_date(reader.column(hit.col)) for hit in link.columns)
    hit = reader.table_of(link) if link is not None and dated and not link.values else None
    money = nouns.list_money(reader.linker, hit.key) if hit is not None else []
    if link is None or len(money) != 1:
        return None
    reader.at += 1
    reader.query.order.append((money[0], SIZES[word]))
    reader.assume(f"{word.capitalize()} is told by {money[0].table[1]}.{money[0].name}.")
    return things.read_table(reader, link)


def _find_length(reader: Reader) -> tuple[str, int] | None:
    """`longest` before a number: `longest distance`."""
    return {"longest": ("desc", 1), "shortest": ("asc", 1)}.get(reader.low())


def _read_leading(reader: Reader) -> Asked | None:
    """`top 10 customers`, `the 3 most expensive products`, `the youngest singer`."""
    mark = reader.at
    count = things.read_number(reader)
    word = reader.low()
    if word in ("top", "bottom", "best", "worst"):
        reader.at += 1
        count = count or things.read_number(reader)
        asked = things.read_thing(reader)
        if asked is None:
            reader.at = mark
            return None
        reader.query.limit = count or (None if things.is_plural(asked.text) else 1)
        reader.ranked = "asc" if word in ("bottom", "worst") else "desc"
        return asked
    if word in SIZES and (largest := _read_largest(reader, word)) is not None:
        reader.query.limit = count or (None if things.is_plural(largest.text) and count else 1)
        return largest
    options, size = things.find_adjective(reader)
    options = options or lexicon.SIZES.get(word, ())
    if options:
        reader.at += size
        second = reader.low()
        count = count or things.read_number(reader)
        asked = things.read_thing(reader, one=True)
        by = asked is not None and reader.low() == "by" and reader.link(reader.at + 1) is not None
        found = reader.adjective(options, asked.table) if asked is not None and not by else None
        if asked is not None and not by and found is None and count is None:
            value = _read_extreme_value(reader, asked, options)
            if value is not None:
                return value
        if asked is None or (found is None and not by) or second == "":
            reader.at = mark
            return None
        reader.query.limit = count or (None if by and things.is_plural(asked.text) else 1)
        if found is None:  # `the three most expensive tools by daily rate`
            reader.ranked = options[0][1]
            return asked
        col, way = found
        if word == "next":
            reader.query.conditions.append(Period(col, reader.today.isoformat(), None))
            reader.assume(f"Counted from today, {reader.today.isoformat()}.")
        reader.query.order.append((col, way == "desc"))
        return asked
    if count is not None:
        hit = reader.phrase(lexicon.SUPERLATIVES)
        if hit is None:
            asked = things.read_thing(reader)
            if asked is not None and asked.table is not None:
                reader.query.limit = count
                reader.needs_order = True
                return asked
    reader.at = mark
    return None


def _is_dated_deed(reader: Reader, link: Link) -> bool:
    """Whether a participle behind things is what was done to them and not its day: `projects finished late`."""
    done = link.size == 1 and is_participle(link.text.lower())
    return done and all(dates.is_date(reader.column(hit.col)) for hit in link.columns)


def _is_done_by(reader: Reader, link: Link) -> bool:
    """Whether a value follows a participle, `insured with Acme` of a column `insurer`, or it is no day to show."""
    if _is_dated_deed(reader, link):
        return True
    if link.size > 1 or not is_participle(reader.low()) or reader.low(1) not in lexicon.IN:
        return False
    after = reader.link(reader.at + 2)
    return after is not None and bool(after.values) and not after.tables


def _plain(reader: Reader, link: Link, distinct: bool) -> Asked:
    amounts.check_vague(link)
    if link.measures:
        amounts.check_one(link)
        reader.at += link.size
        measure = link.measures[0].target
        assert isinstance(measure, Measure)
        if link.tables and not measure.column and reader.low() in lexicon.NOT | lexicon.WITH:
            raise QuestionError(
                f'"{link.text}" may be the revenue or the rows of {measure.table[1]}.',
                words=[link.text],
                reason="ambiguous",
                rewrites=[(link.text, f"how many {link.text}"), (link.text, f"total revenue of {link.text}")],
            )
        return Asked("measure", link.text, ["sum"], measure=measure)
    if link.tables and (not link.columns or min(h.tier for h in link.tables) <= min(h.tier for h in link.columns)):
        if link.size == 1 and link.text.lower().endswith("ed") and reader.low(-1) in ("are", "is", "were", "was"):
            raise QuestionError(f'"{link.text}" is not clear here.', words=[link.text])
        possessive = reader.tokens[reader.at + link.size - 1].possessive
        following = reader.link(reader.at + link.size)
        asked = things.read_table(reader, link)
        asked.distinct = distinct
        asked.hits = link.columns
        if following is not None and following.columns and (possessive or not following.tables):
            found = reader.resolve(following.columns, following.text, asked.table).target
            assert isinstance(found, Col)
            if asked.table is None or reader.joins.distance(asked.table, found.table)[0] > 1:
                return asked
            if not possessive and (periods.is_done_per(reader) or _is_done_by(reader, following)):
                return asked
            reader.at += following.size
            if not possessive and (is_compared(reader) or _is_said_of(reader, following)):
                reader.at -= following.size
                return asked
            return Asked("column", following.text, [], following.columns, distinct=distinct, owner=asked.table)
        return asked
    if not distinct and (doers := things.find_doers(reader, link)) is not None:
        return doers
    refusal.check_told(reader, link)
    refusal.check_dated(reader, link)
    if reader.low(link.size) in lexicon.NOT | lexicon.WITH:
        aggregates.check_kind(reader, link)
    reader.at += link.size
    if things.is_plural(link.text) and all(dates.is_date(reader.column(hit.col)) for hit in link.columns):
        day = reader.resolve(link.columns, link.text, None).col
        if not {"dates", "days", "times"} & set(link.text.lower().split()) and reader.linker.display(day.table) != [
            day
        ]:
            reader.timed = day if reader.low() in lexicon.GROUP or reader.is_dated(reader.at) else None
            reader.assume(f'"{link.text}" are the rows of {day.table[1]}, each with its {day.name}.')
            return Asked("table", link.text, table=day.table)  # `deliveries`, of sales with a day of delivery
    if reader.tokens[reader.at - 1].possessive:
        raise QuestionError(f'What belongs to "{link.text}" is not clear here.', words=[link.text])
    return Asked("column", link.text, [], link.columns, distinct=distinct)
