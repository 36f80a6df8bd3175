"""Conditions in a question's words: comparisons with numbers and texts, and bare values. Called by the grammar.

Each reader tries one kind at the current word; it gives True and has stepped over what it read, or False and has
stepped over nothing.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import stems
from sqlchat.providers.offline import (
    amount_conditions,
    benchmarks,
    dates,
    flags,
    nulls,
    periods,
    persons,
    refusal,
    row_conditions,
    states,
    values,
    weekdays,
)
from sqlchat.providers.offline.links import Hit, Link
from sqlchat.providers.offline.operands import add_comparison, read_operands, read_operator
from sqlchat.providers.offline.query import AnyOf, Compare, Condition
from sqlchat.providers.offline.reader import Reader, is_participle

OWNING = lexicon.words("its their his her the")
PIECES = lexicon.words("the a word string substring letter letters text phrase")
BEFORE_VALUE = lexicon.words("is are was were be been of the a an as named called name value values equal equals")


def read(reader: Reader) -> bool:
    """One condition, with what `or` ties to it."""
    start = len(reader.focus.conditions)
    target = reader.focus.conditions
    if not _one(reader):
        return False
    while reader.low() == "or" or (reader.low() == "," and reader.low(1) == "or"):
        mark = reader.at
        reader.at += 2 if reader.low() == "," else 1
        reader.skip({"that", "which", "who", "were", "was", "are", "is", "with", "have", "has", "had", "in"})
        before = len(target)
        plain = reader.focus.conditions is target and start == 0 and before - start == 1
        if not plain or not (_read_same_column(reader, target[-1]) or _one(reader)):
            reader.at = mark
            return True
        if len(target) != before + 1:
            raise QuestionError('What "or" ties together is not clear here.', words=["or"], reason="ambiguous")
        second, first = target.pop(), target.pop()
        parts = first.conditions if isinstance(first, AnyOf) else (first,)
        target.append(AnyOf((*parts, second)))
    return True


def _one(reader: Reader) -> bool:
    return (
        flags.read(reader)
        or nulls.read(reader)
        or benchmarks.read(reader)
        or _read_within(reader)
        or states.read(reader)
        or row_conditions.read(reader)
        or _column(reader)
        or amount_conditions.read_price(reader)
        or _read_counted_column(reader)
        or amount_conditions.read_unit(reader)
        or row_conditions.read_lasting(reader)
        or amount_conditions.read_age(reader)
        or amount_conditions.read_stock(reader)
        or _named(reader)
        or _adjective(reader)
        or weekdays.read(reader)
        or periods.read(reader)
        or values.read(reader)
        or persons.read(reader)
    )


def _read_same_column(reader: Reader, before: Condition) -> bool:
    """`smaller than 500` after `population bigger than 1500 or`: compares the column of the condition before."""
    first = before.conditions[-1] if isinstance(before, AnyOf) else before
    hit = reader.phrase(lexicon.OPERATORS)
    if not isinstance(first, Compare) or hit is None:
        return False
    mark = reader.at
    reader.at += hit[1]
    operands = read_operands(reader, first.col, hit[0])
    following = reader.link()
    if operands is None or (following is not None and (following.columns or following.tables)):
        reader.at = mark
        return False
    reader.focus.conditions.append(Compare(first.col, lexicon.COMPARISONS.get(hit[0], hit[0]), operands))
    return True


def _read_within(reader: Reader) -> bool:
    """`with 'Hey' in its title`, `that have the word "pro" in their names`."""
    mark = reader.at
    reader.skip(lexicon.WITH | lexicon.VERBS | PIECES)
    text = reader.token()
    owned = text is not None and text.kind == "text" and reader.low(1) in ("in", "within") and reader.low(2) in OWNING
    link = reader.link(reader.at + 3) if owned else None
    if text is None or link is None or not link.columns or not text.text:
        reader.at = mark
        return False
    col = reader.resolve(link.columns, link.text, reader.focus.table).col
    reader.at += 3 + link.size
    add_comparison(reader, col, "contains", (text.text,), negated=False)
    return True


def _column(reader: Reader) -> bool:
    """`age over 20`, `whose name is 'Smith'`, `capacity between 5 and 10`, `city not Berlin`."""
    mark = reader.at
    reader.skip(
        {
            "for",
            "of",
            "in",
            "on",
            "at",
            "from",
            "whose",
            "where",
            "with",
            "the",
            "a",
            "an",
            "having",
            "has",
            "have",
            "their",
            "its",
            "that",
            "which",
        }
    )
    link = reader.link()
    if (
        link is None
        or not link.columns
        or (link.tables and min(h.tier for h in link.tables) < min(h.tier for h in link.columns))
    ):
        reader.at = mark
        return False
    reader.at += link.size
    holders = {hit.target for hit in link.columns}
    reader.skip({"of", "is", "are", "was", "were", "that", "which", "value"})
    if link.size == 1 and is_participle(link.text.lower()) and reader.low() in lexicon.IN:
        after = reader.link(reader.at + 1)
        reader.at += after is not None and any(hit.target in holders for hit in after.values)  # `insured with Acme`
    negated = False
    if reader.low() in ("do", "does", "did") and reader.low(1) == "not":
        reader.at += 1
    if reader.low() in ("not", "isn't", "don't", "doesn't"):
        negated = True
        reader.at += 1
    if _read_bench(reader, link):
        return True
    op = read_operator(reader)
    reader.skip(BEFORE_VALUE if op not in ("starts", "ends", "contains") else ())
    col = reader.resolve(_find_holders(reader, link, op), link.text, reader.focus.table).col
    refusal.check_cost(reader, col, link.text)
    operands = read_operands(reader, col, op)
    if operands is None:
        reader.at = mark
        return False
    add_comparison(reader, col, op, operands, negated)
    return True


def _read_bench(reader: Reader, link: Link) -> bool:
    """`weight below the average weight`, `population above the maximum of all towns`."""
    mark = reader.at
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is None or lexicon.COMPARISONS.get(hit[0]) not in (">", "<", ">=", "<="):
        return False
    reader.at += hit[1]
    following = {reader.low(), reader.low(1), reader.low(2)}
    if not following.isdisjoint({*benchmarks.FUNCTIONS, *benchmarks.EVERY}):
        col = reader.resolve(link.columns, link.text, reader.focus.table).col
        if benchmarks.read_bench(reader, col, lexicon.COMPARISONS[hit[0]]):
            return True
    reader.at = mark
    return False


def _find_holders(reader: Reader, link: Link, op: str) -> list[Hit]:
    """The hits of a column's name that hold the value which follows, where a value does."""
    value = reader.link()
    if op not in ("=", "!=") or value is None or not value.values:
        return link.columns
    holders = {hit.target for hit in value.values}
    return [hit for hit in link.columns if hit.target in holders] or link.columns


def _read_counted_column(reader: Reader) -> bool:
    """`more than 4 cylinders`, `4 cylinders`, `less than 10 in stock`: a number before a numeric column."""
    mark = reader.at
    reader.skip({"a", "an", "with", "having", "have", "has", "had", "worth"})
    negated = reader.low() == "not"
    hit = reader.phrase(lexicon.OPERATORS)
    op = "="
    if hit is not None:
        op = lexicon.COMPARISONS.get(hit[0], "")
        reader.at += hit[1]
    if hit is not None and _read_above_column(reader, op):
        return True
    token = reader.token()
    if not op or negated or token is None or token.value is None:
        reader.at = mark
        return False
    reader.at += 1
    reader.take("in")
    link = reader.link()
    if link is None or not link.columns or link.tables or reader.focus.table is None:
        reader.at = mark
        return False
    numeric = [
        h
        for h in link.columns
        if dates.is_number(reader.column(h.col))
        and not reader.linker.is_key(h.col)
        and not reader.linker.is_flag(h.col)
        and "year" not in reader.linker.column_words(h.col.table, h.col.name)  # `older than 10 years`
    ]
    if not numeric:
        reader.at = mark
        return False
    col = reader.resolve(numeric, link.text, reader.focus.table).col
    reader.at += link.size
    add_comparison(reader, col, op, (token.value,), negated=False)
    return True


def _read_above_column(reader: Reader, op: str) -> bool:
    """`above age 20`, `over the age of 30`, after its first word."""
    mark = reader.at
    reader.skip({"the", "an", "a"})
    link = reader.link()
    numeric = [h for h in link.columns if dates.is_number(reader.column(h.col))] if link is not None else []
    if link is None or not numeric or reader.focus.table is None or not op:
        reader.at = mark
        return False
    reader.at += link.size
    reader.take("of")
    col = reader.resolve(numeric, link.text, reader.focus.table).col
    operands = read_operands(reader, col, op)
    if operands is None:
        reader.at = mark
        return False
    add_comparison(reader, col, op, operands, negated=False)
    return True


def _named(reader: Reader) -> bool:
    """`named "Smith"`, `customer Ann Lee`, `that start with "A"`: a text for the name of what is spoken of."""
    mark = reader.at
    apposed = _is_apposed(reader)
    table = reader.focus.table
    display = reader.linker.display(table) if table else []
    told = reader.find_column_before(mark, dates.is_text) if not apposed else None
    display = [told] if told is not None else display
    reader.skip({"that", "which", "who", "whose", "is", "are", "do", "does"})
    negated = reader.take("not")
    called = reader.low() in ("named", "called", "titled")
    like = reader.phrase(lexicon.LIKES)
    if called:
        reader.at += 1
    elif like is not None:
        reader.at += like[1]
    op = like[0] if like is not None and not called else "="
    token = reader.token()
    unknown = token is not None and token.kind == "text" and (called or like is not None or not reader.links())
    bare = like is not None and told is None and not called and token is not None
    if bare and token is not None and reader.linker.hits(stems(token.text), token.text.lower()):
        unknown = False  # `orders including discount` looks for no text
    unknown = unknown and not (like is None and (reader.low(-1),) in lexicon.LIKES)
    if len(display) != 1 or not (unknown or called or apposed):
        reader.at = mark
        return False
    operands = read_operands(reader, display[0], op)
    if operands is None:
        reader.at = mark
        return False
    if like is not None and told is None:
        reader.assume(f"The text is looked for in {display[0].table[1]}.{display[0].name}.")
    add_comparison(reader, display[0], op, operands, negated)
    return True


def _is_apposed(reader: Reader) -> bool:
    """Whether a name that the index does not hold stands right after what it names: `customer Ann Lee`."""
    token, before, owner = reader.token(), reader.token(-1), reader.link(reader.at - 1)
    if token is None or before is None or owner is None or token.kind != "word" or not token.text[:1].isupper():
        return False
    named = any(hit.target == reader.focus.table for hit in owner.tables)
    return named and not before.low.endswith("s") and not reader.links()


def _adjective(reader: Reader) -> bool:
    """`older than 20`, `heavier than 10 kg`."""
    pair = lexicon.MORE_COMPARATIVES.get((reader.low(), reader.low(1)), ())
    size = 2 if pair else 1
    found = reader.adjective(pair or lexicon.COMPARATIVES.get(reader.low(), ()), reader.focus.table)
    if found is None or reader.low(size) != "than":
        return False
    mark = reader.at
    reader.at += size + 1
    operands = read_operands(reader, found[0], found[1])
    if operands is None:
        reader.at = mark
        return False
    add_comparison(reader, found[0], found[1], operands, negated=False)
    return True
