"""Conditions on the totals of groups: `with revenue over 10000`, `who spent the most`."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline import amounts, dates, grain, outputs
from sqlchat.providers.offline.asked import make_terms
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import Agg, Asked
from sqlchat.providers.offline.reader import Reader
from sqlchat.providers.offline.relations import LEADING, focus_measured, rank_by, read_plain_operator

CURRENCIES = lexicon.words("euros euro dollars dollar eur usd pounds")
SPENDING = ("spent", "spend", "spends")
BUYERS = lexicon.words("customer customers client clients buyer buyers shopper shoppers")


def read_having(reader: Reader, asked: list[Asked]) -> bool:
    """`with revenue over 10000`, `with more than 10 customers` where the groups are values of a column."""
    mark = reader.at
    reader.skip(
        {"with", "having", "whose", "has", "have", "had", "that", "which", "who", "where", "the", "a", "an"}
        | lexicon.VERBS
    )
    term = _read_having_measure(reader)
    if term is not None:
        reader.skip({"of", "is", "was", "are"})
        op = read_plain_operator(reader)
        token = reader.token()
        if op and token is not None and token.value is not None:
            reader.at += 1
            _add_having(reader, term, op, token.value)
            return True
    reader.at = mark
    if _read_worth(reader):
        return True
    return _read_having_amount(reader, asked) or _read_having_count(reader, asked)


def _is_amount(linker: Linker, col: Col) -> bool:
    return dates.is_number(linker.catalog_column(col)) and not linker.is_key(col) and not linker.is_flag(col)


def _read_worth(reader: Reader) -> bool:
    """`orders over 500 euros`: the revenue of each order, where orders have no amount of their own."""
    mark, table = reader.at, reader.focus.table
    reader.skip({"worth", "of", "for", "with", "that", "are", "were", "a", "value"})
    op = read_plain_operator(reader)
    token, unit = reader.token(), reader.low(1)
    found = [m for m in reader.linker.measures if m.name in lexicon.REVENUE]
    after = reader.token(1)
    ends = after is None or after.kind == "sign" or unit in CURRENCIES or unit in lexicon.IN
    clear = op and ends and len(found) == 1 and table == reader.query.subject
    if not clear or table is None or token is None or token.value is None or token.kind != "number":
        reader.at = mark
        return False
    priced = any(_is_amount(reader.linker, Col(table, column.name)) for column in reader.linker.tables[table].columns)
    near, steps = reader.joins.distance(found[0].table, table)
    if priced or near != 1 or steps != 1 or not reader.explicit_subject or reader.counted:
        reader.at = mark
        return False
    reader.at += 1 + (unit in CURRENCIES)
    reader.assume(f"What each of {table[1]} is worth is its {found[0].name}.")
    _add_having(reader, Agg("sum", found[0]), op, token.value)
    return True


def _read_having_amount(reader: Reader, asked: list[Asked]) -> bool:
    """`with more than 2500 downloads`, where each row of downloads holds a number of them."""
    mark = reader.at
    reader.skip(LEADING)
    op = read_plain_operator(reader)
    token = reader.token()
    link = reader.link(reader.at + 1)
    if not op or token is None or token.value is None or link is None or not link.measures:
        reader.at = mark
        return False
    category = grain.find_category(reader, asked)
    if category is not None:
        reader.query.groups.append(category)
    elif not reader.explicit_subject:
        reader.at = mark
        return False
    amounts.check_one(link)
    measure = link.measures[0].target
    assert isinstance(measure, Measure)
    reader.at += 1 + link.size
    reader.measured = measure.table
    _add_having(reader, Agg("sum", measure), op, token.value)
    return True


def _find_spending(reader: Reader) -> Measure | None:
    """The one revenue of the database, for `spent`: what customers spend is what was sold to them."""
    found = [m for m in reader.linker.measures if m.name in lexicon.REVENUE]
    focus, subject = reader.focus.table, reader.query.subject
    if len(found) != 1 or focus is None or focus != subject or reader.focus.related is not None:
        return None
    if reader.joins.distance(found[0].table, focus)[0] != 1 or BUYERS.isdisjoint(reader.linker.table_words(focus)):
        return None
    return found[0]


def read_spent(reader: Reader, asked: list[Asked]) -> bool:
    """`who spent the most`, `spent more than 1000`."""
    mark = reader.at
    reader.skip({"who", "that", "which", "have", "has", "had"})
    measure = _find_spending(reader) if reader.low() in SPENDING else None
    if measure is None:
        reader.at = mark
        return False
    reader.at += 1
    term = Agg("sum", measure)
    reader.take("the")
    following = reader.token(1)
    if reader.low() in ("most", "least") and (following is None or following.kind != "word" or following.low == "in"):
        one = Asked("measure", reader.low(-1), ["sum"], measure=measure)
        reader.measured = measure.table
        reader.at += 1
        rank_by(reader, asked, one, reader.low(-1) == "most")
        return True
    op = read_plain_operator(reader)
    token = reader.token()
    if not op or token is None or token.value is None or not reader.explicit_subject:
        reader.at = mark
        return False
    reader.at += 1
    reader.skip(lexicon.MEASURE_UNITS & {"euros", "euro", "dollars", "dollar", "eur", "usd", "pounds"})
    reader.measured = measure.table
    _add_having(reader, term, op, token.value)
    return True


def _read_having_measure(reader: Reader) -> Agg | None:
    one = None
    if reader.phrase(lexicon.AGGREGATES) or ((link := reader.link()) is not None and link.measures):
        one = outputs.read_one(reader, first=False)
    if one is None or not one.functions:
        return None
    found = make_terms(reader, one, reader.focus.table)
    return found[0] if len(found) == 1 and isinstance(found[0], Agg) else None


def _read_having_count(reader: Reader, asked: list[Asked]) -> bool:
    """`countries with more than 10 customers`, where the country is a column and not a table."""
    query = reader.query
    if (
        query.subject is None
        or reader.explicit_subject
        or len(asked) != 1
        or asked[0].kind != "column"
        or asked[0].functions
    ):
        return False
    mark = reader.at
    reader.skip({"with", "having", "has", "have", "had", "that", "which", "the"} | lexicon.VERBS)
    op = read_plain_operator(reader)
    token = reader.token()
    if not op or token is None or not isinstance(token.value, int):
        reader.at = mark
        return False
    reader.at += 1
    link = reader.link()
    hit = reader.table_of(link) if link is not None else None
    counted = hit.key if hit is not None else query.subject if reader.low() in ("times", "time") else None
    if counted is None:
        reader.at = mark
        return False
    reader.at += link.size if hit is not None and link is not None else 1
    _add_having(reader, Agg("count", counted), op, token.value)
    focus_measured(reader, counted)
    for term in make_terms(reader, asked[0], query.subject):
        if isinstance(term, Col) and term not in query.groups:
            query.groups.append(term)
    return True


def _add_having(reader: Reader, term: Agg, op: str, value: int | float) -> None:
    query = reader.query
    query.having.append((term, op, value))
    if reader.category is not None and not query.groups and not reader.explicit_subject:
        query.groups.append(reader.category)
    if query.subject is not None and not query.groups and reader.explicit_subject:
        query.groups.append(query.subject)
