"""Phrases that shape the whole query: order, rank, groups, superlatives, and relations between things. Called by the
grammar; each gives True and has stepped over what it read, or False and over nothing.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import dates, grain, outputs, periods, ratios, things
from sqlchat.providers.offline.asked import choose_columns, make_terms
from sqlchat.providers.offline.build import table_of
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import Agg, Asked, DatePart, Term
from sqlchat.providers.offline.reader import Reader, is_participle

EACH = (
    ("for", "each"), ("for", "every"), ("of", "each"), ("in", "each"), ("by", "each"), ("at", "each"), ("on", "each"),
    ("from", "each"), ("with", "each"), ("to", "each"), ("within", "each"), ("in", "every"), ("of", "every"),
    ("each",), ("per",), ("every",), ("across",), ("grouped", "by"), ("group", "by"), ("broken", "down", "by"),
    ("split", "by"), ("for", "different"), ("for", "all", "the", "different"), ("across", "each"),
    ("for", "all", "different"), ("under", "each"), ("into", "each"), ("into", "every"),
    ("does", "each"), ("did", "each"), ("do", "each"),
    ("has", "each"),
)  # fmt: skip
OF_TIME = frozenset({"oldest", "youngest", "newest", "latest", "earliest"})
HEIGHTS = lexicon.words("highest lowest high low")
"""Words of a direction that say nothing of names."""
RANKERS = (("by",), ("in", "terms", "of"), ("based", "on"), ("according", "to"), ("ranked", "by"), ("ordered", "by"))


def read_order(reader: Reader, asked: list[Asked]) -> bool:
    """`ordered by age descending`, `in alphabetical order`, `from oldest to youngest`."""
    if _read_range(reader):
        return True
    mark = reader.at
    found = reader.take_any(lexicon.ORDERED)
    if reader.ranked and found:
        reader.at = mark
        return False
    reader.skip(
        {"in", "from", "the", "their", "sorted", "ordered", "and", "an", "a"} if not found else {"the", "their", "in"}
    )
    first = reader.low()
    way = _take_direction(reader)
    if not found and way is None:
        reader.at = mark
        return False
    reader.skip({"of", "by", "the", "their"})
    here = reader.at
    term = _read_order_term(reader, asked)
    if term is None:
        reader.at = here
        if found and way is None and not _direction_follows(reader):
            reader.at = mark
            return False
    reader.skip({",", "in", "from", "the"} if _direction_follows(reader) else ())
    after = _take_direction(reader)
    if term is None:
        term = _find_only_term(reader, asked)
        if term is None:
            reader.at = mark
            return False
        tall = any(token.low in HEIGHTS for token in reader.tokens[mark : reader.at])
        if tall and isinstance(term, Col) and dates.is_text(reader.column(term)):
            raise QuestionError("The question does not say what to rank by.", words=["highest"])
    down = (way or after) == "desc"
    if first in OF_TIME and isinstance(term, Col) and dates.is_text(reader.column(term)):
        term, down = _find_time_order(reader, first)
    reader.query.order.append((term, down))
    return True


def _read_range(reader: Reader) -> bool:
    """`from the most populous to the least populous`: two superlatives of one column with opposite directions."""
    mark, kept = reader.at, list(reader.query.assumptions)
    reader.skip({",", "from", "the"})
    ends = []
    for _ in range(2):
        options, size = things.find_adjective(reader)
        found = reader.adjective(options, reader.query.subject) if options else None
        reader.at += size
        if found is not None:
            ends.append(found)
        if len(ends) == 1 and not reader.take("to"):
            break
        reader.skip({"the"})
    if len(ends) == 2 and ends[0][0] == ends[1][0] and ends[0][1] != ends[1][1]:
        reader.query.order.append((ends[0][0], ends[0][1] == "desc"))
        return True
    reader.at, reader.query.assumptions[:] = mark, kept
    return False


def _find_time_order(reader: Reader, word: str) -> tuple[Term, bool]:
    """What `oldest first` orders by. Raises QuestionError if nothing here tells old from young."""
    found = reader.adjective(lexicon.ADJECTIVES[word], reader.query.subject)
    if found is None:
        raise QuestionError(f'"{word}": no column tells the age or the time of these rows.', words=[word])
    return found[0], found[1] == "desc"


def _direction_follows(reader: Reader) -> bool:
    mark = reader.at
    reader.skip({",", "in", "from", "the"})
    found = _take_direction(reader) is not None
    reader.at = mark
    return found


def _take_direction(reader: Reader) -> str | None:
    for way, phrases in (("desc", lexicon.DESCENDING), ("asc", lexicon.ASCENDING)):
        if reader.take_any(phrases):
            return way
    return None


def _read_order_term(reader: Reader, asked: list[Asked]) -> Term | None:
    counted = [item for item in asked if item.functions == ["count"]]
    if reader.low() in ("count", "number") and reader.low(1) != "of" and len(counted) == 1 and not reader.link():
        reader.at += 1
        return make_terms(reader, counted[0], reader.query.subject)[0]
    one = outputs.read_one(reader, first=False)
    if one is None:
        return None
    if one.kind == "table" and not one.functions:
        one_terms = choose_columns(reader, one.table) if one.table else []
        return one_terms[0] if len(one_terms) == 1 else None
    found = make_terms(reader, one, reader.query.subject or reader.measured)
    return found[0] if len(found) == 1 else None


def _find_only_term(reader: Reader, asked: list[Asked]) -> Term | None:
    """What a direction alone orders: the one thing that is choose_columns, or the one number among them."""
    table = reader.query.subject or reader.measured
    found = [term for item in asked for term in make_terms(reader, item, table)]
    numbers = [term for term in found if isinstance(term, Agg)]
    if len(numbers) == 1:
        return numbers[0]
    return found[0] if len(found) == 1 else None


def read_rank(reader: Reader, asked: list[Asked]) -> bool:
    """`by revenue` after `top 10 customers`."""
    mark = reader.at
    if not (reader.ranked or _ranks_by_amount(reader, asked)) or not reader.take_any(RANKERS):
        return False
    reader.skip({"the", "their", "highest", "lowest", "most"})
    one = outputs.read_one(reader, first=False)
    if one is None or one.kind == "unit":
        reader.at = mark
        return False
    if one.kind == "table" and not one.functions:
        if one.table == reader.query.subject:
            raise QuestionError(
                f'Ranking by "{one.text}": say by the number of what, or by which column.', words=[one.text]
            )
        one.functions = ["count"]  # `top 3 classes by bookings`
    total = None
    if one.kind == "column" and not one.functions:
        total = _check_number(reader, one)
        col = reader.resolve(one.hits, one.text, reader.query.subject).target
        assert isinstance(col, Col)
        total = total or grain.rank_groups(reader, asked, col, one.text)
        one.functions = [total.function] if total is not None else []
    found = make_terms(reader, one, reader.query.subject)
    category = grain.find_category(reader, asked) if isinstance(found[0], Agg) else None
    if category is not None and category not in reader.query.groups:
        reader.query.groups.append(category)
    reader.skip({"in", ","} if _direction_follows(reader) else ())
    way = _take_direction(reader)
    if way and reader.ranked and way != reader.ranked:
        raise QuestionError(f"The {one.text} cannot be ranked both ways at once.", words=[], reason="ambiguous")
    reader.query.order.append((found[0], (way or reader.ranked) != "asc"))
    reader.ranked = ""
    if one.kind == "measure":
        reader.measured = one.measure.table if one.measure else None
    else:
        reader.measured = table_of(found[0])
    asked.append(one)
    return True


def _ranks_by_amount(reader: Reader, asked: list[Asked]) -> bool:
    """`by revenue` or `by number of orders` after `customers`: each with its own, the largest first."""
    link = reader.link(reader.at + 1)
    several = len(asked) == 1 and asked[0].kind == "table" and not asked[0].functions and not reader.query.order
    counting = reader.low(1) == "number" and reader.low(2) == "of"
    return several and reader.low() == "by" and (counting or (link is not None and bool(link.measures)))


def read_rank_ahead(reader: Reader, asked: list[Asked]) -> None:
    """Read `by revenue` of `top customers in 2024 by revenue` first: the period is that of what is added up."""
    start = reader.at
    if not reader.ranked or any(reader.sees(*phrase) for phrase in RANKERS):
        return
    for at in range(start + 1, len(reader.tokens)):
        reader.at = at
        if reader.low() == "by" and outputs.starts_output(reader, 1) and read_rank(reader, asked):
            reader.cut(at)
            break
    reader.at = start


def _check_number(reader: Reader, one: Asked) -> Agg | None:
    """The total by which the subject is ranked if each may have several of the number; None if each has one."""
    hit = reader.resolve(one.hits, one.text, reader.query.subject)
    check_sortable(reader, hit.col, one.text)
    subject = reader.query.subject
    if subject is None or reader.joins.distance(subject, hit.col.table)[0] <= 1:
        return None
    total = grain.add_up_children(reader, subject, hit.col, one.text)
    if total is None:
        raise QuestionError(
            f'Each of {subject[1]} may have several of "{one.text}": say by the average, the highest or the lowest.',
            words=[one.text],
            reason="ambiguous",
        )
    return total


def check_sortable(reader: Reader, col: Col, text: str) -> None:
    """Raises QuestionError where the column has no largest and smallest that mean anything."""
    column = reader.column(col)
    year = "year" in reader.linker.column_words(col.table, col.name)
    flag = reader.linker.is_flag(col)
    if (dates.is_text(column) and not year) or reader.linker.is_key(col) or flag:
        raise QuestionError(f"{col.name} is no number or date to rank by.", words=[text], reason="text_column")


def read_group(reader: Reader, asked: list[Asked]) -> bool:
    """`by country`, `per month`, `for each category`; `per tonne`, which divides."""
    if ratios.read_divisor(reader, asked):
        return True
    mark = reader.at
    aggregated = any(item.functions for item in asked) or dates.find_unit(reader.low(1)) is not None
    aggregated = aggregated or _is_counted_by(reader, asked) or _adds_up_by(reader, asked)
    aggregated = aggregated or _is_counted_by_table(reader, asked)
    if reader.low() == "by" and aggregated:
        reader.at += 1
    elif not reader.take_any(EACH):
        return False
    while True:
        reader.skip({"the", "of", "each", "every", "different", "distinct", "single", "individual", "calendar"})
        target = _find_group(reader)
        if target is None:
            reader.at = mark
            return False
        if target not in reader.query.groups:
            reader.query.groups.append(target)
        more = reader.at
        if not reader.take_any((("and", "by"), ("and", "per"), ("and", "each"), ("and",), (",", "and"), (",",))):
            return True
        if not _is_group(reader):
            reader.at = more
            return True


def _is_counted_by(reader: Reader, asked: list[Asked]) -> bool:
    """`members by city`: rows are counted by what is no number, no date and no thing that may have done something."""
    link, table = reader.link(reader.at + 1), reader.query.subject
    alone = len(asked) == 1 and asked[0].kind == "table" and not reader.query.order and not reader.ranked
    if reader.low() != "by" or not alone or table is None or link is None or link.tables or link.values:
        return False
    found = [
        h.target
        for h in link.columns
        if isinstance(h.target, Col) and reader.joins.distance(table, h.target.table)[0] < 2
    ]
    return bool(found) and not any(dates.is_number(reader.column(col)) for col in found)


def _is_counted_by_table(reader: Reader, asked: list[Asked]) -> bool:
    """`visits by department`, at the end: rows are counted for each row of the table that they lead to."""
    link, table = reader.link(reader.at + 1), reader.query.subject
    alone = len(asked) == 1 and asked[0].kind == "table" and not reader.query.order and not reader.ranked
    if reader.low() != "by" or not alone or table is None or link is None or not link.tables or link.values:
        return False
    after = reader.token(1 + link.size)
    before = reader.link(reader.at - 1)
    verb = reader.low(-1) in lexicon.VERBS or is_participle(reader.low(-1))
    verb = verb and not (before is not None and before.tables)
    if verb or (after is not None and after.kind != "sign" and after.low not in ("in", "and")):
        return False
    hit = reader.table_of(link)
    return hit is not None and hit.key != table and reader.joins.distance(table, hit.key)[0] == 1


def _adds_up_by(reader: Reader, asked: list[Asked]) -> bool:
    """`quantity by shop`: added up if the column says so. Raises QuestionError where it may as well be averaged."""
    alone = len(asked) == 1 and asked[0].kind == "column" and not asked[0].functions and not reader.query.order
    link = reader.link(reader.at + 1)
    if reader.low() not in ("by", "per") or not alone or link is None or not link.columns:
        return False
    col = reader.resolve(asked[0].hits, asked[0].text, reader.query.subject).target
    if not isinstance(col, Col) or not dates.is_number(reader.column(col)) or reader.linker.is_key(col):
        return False
    if not grain.is_added_up(reader.linker, col):
        text = asked[0].text
        raise QuestionError(
            f'"{text} by {link.text}": say "total {text}" or "average {text}".',
            words=[text],
            reason="ambiguous",
            rewrites=[(text, f"total {text}"), (text, f"average {text}")],
        )
    reader.assume(grain.tell_added_up(col))
    asked[0].functions = ["sum"]
    return True


def _is_group(reader: Reader) -> bool:
    mark, kept = reader.at, list(reader.query.assumptions)
    try:
        reader.skip({"the", "each"})
        return _find_group(reader) is not None and (reader.done or reader.low() in (".", ",", "in", "for", "where"))
    except QuestionError:
        return False
    finally:
        reader.at, reader.query.assumptions[:] = mark, kept


def _find_group(reader: Reader) -> Col | DatePart | Key | None:
    if reader.low() in ("one", "of") and reader.query.groups:
        return None
    table = reader.query.subject or reader.measured or reader.focus.table
    if reader.sees("number", "of") and (counted := reader.link(reader.at + 2)) is not None and not counted.tables:
        reader.at += 2  # `by number of rooms`, which each row holds
    link = reader.link()
    unit = dates.find_unit(reader.low())
    if (
        link is not None
        and link.tables
        and (not link.columns or link.tables[0].tier <= min(h.tier for h in link.columns))
    ):
        hit = reader.table_of(link)
        assert hit is not None
        reader.at += link.size
        following = reader.link()
        if (
            following is not None
            and following.columns
            and not following.tables
            and (
                reader.tokens[reader.at - 1].possessive
                or any(isinstance(h.target, Col) and h.target.table == hit.target for h in following.columns)
            )
        ):
            reader.at += following.size
            found = reader.resolve(
                following.columns, following.text, hit.target if isinstance(hit.target, tuple) else None
            )
            return found.target if isinstance(found.target, Col) else None
        return hit.target if isinstance(hit.target, tuple) else None
    if link is not None and link.columns and not (unit and all(h.tier for h in link.columns)):
        reader.at += link.size
        hit = reader.resolve(link.columns, link.text, table)
        if unit and dates.is_date(reader.column(hit.col)):
            return DatePart(hit.col, unit)
        if (after := dates.find_unit(reader.low())) and dates.is_date(reader.column(hit.col)):
            reader.at += 1
            return DatePart(hit.col, after)
        if dates.is_date(reader.column(hit.col)) and not any(token.low == "each" for token in reader.tokens):
            reader.assume(f"Days of {hit.col.table[1]}.{hit.col.name} are taken; say per month for months.")
            return DatePart(hit.col, "day")
        return hit.col
    if unit and (owner := reader.measured or table) is not None:
        reader.at += 1
        return make_period_group(reader, owner, unit)
    return None


def make_period_group(reader: Reader, table: Key, unit: str) -> Col | DatePart:
    """What `per month` groups rows of `table` by. Raises QuestionError where they have no date."""
    if (said := periods.read_named_date(reader)) is not None:
        return DatePart(said, unit)
    col = periods.find_time(reader, table)
    if col is None or not (dates.is_date(reader.column(col)) or unit == "year"):
        raise QuestionError(f"{table[1]} has no date to group by {unit}.", words=[unit])
    numbered = ", as a number: 0 is Sunday" if unit == "weekday" else ""
    reader.assume(f"The {unit} is that of {col.table[1]}.{col.name}{numbered}.")
    return DatePart(col, unit) if dates.is_date(reader.column(col)) else col
