"""What columns are compared with: operators, numbers, texts and values beside a column. Called by the conditions."""

from __future__ import annotations

import re

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import SCALES
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.query import Compare, Literal
from sqlchat.providers.offline.reader import Reader

SHARE = re.compile(r"\b0(\.0)? ?(to|and|-|\.\.|–) ?1(\.0)?\b|\bfraction\b")
"""In a comment: that a column holds shares of one."""
FLIPPED = {"=": "!=", "!=": "=", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}
FLIPPED |= {op: f"not {op}" for op in ("contains", "starts", "ends")}


def read_operator(reader: Reader) -> str:
    hit = reader.phrase(lexicon.LIKES) or reader.phrase(lexicon.OPERATORS)
    if hit is None:
        return "="
    reader.at += hit[1]
    return hit[0]


def read_operands(reader: Reader, col: Col, op: str) -> tuple[Literal, ...] | None:
    """What a column is compared with, from the next word on."""
    if op == "between":
        low = _operand(reader, col, op)
        if low is None or not reader.take_any((("and",), ("to",))):
            return None
        high = _operand(reader, col, op)
        return None if high is None else (low, high)
    first = _operand(reader, col, op)
    if first is None:
        return None
    values = [first]
    if op in ("=", "!="):
        while (reader.low() in ("or", ",")) or (reader.low() == "and" and op == "="):
            mark = reader.at
            several = reader.low() == "and"
            reader.at += 1
            reader.skip({"or"})
            if several and not reader.sees("and"):
                following = reader.link()
                if following is None or not any(hit.target == col for hit in following.values):
                    reader.at = mark
                    break
                if reader.has_several(col):
                    raise QuestionError('"and" may mean both or any of them.', words=["and"], reason="ambiguous")
            reader.skip({"the", "in"})
            more = _operand(reader, col, op)
            if more is None or _is_column_next(reader):
                reader.at = mark
                break
            values.append(more)
    return tuple(values)


def _is_column_next(reader: Reader) -> bool:
    """Whether a number just read belongs to another column: `age 3 or 4 cylinders`."""
    link = reader.link()
    return reader.tokens[reader.at - 1].kind == "number" and link is not None and bool(link.columns)


def _operand(reader: Reader, col: Col, op: str) -> Literal | None:
    token = reader.token()
    if token is None:
        return None
    column = reader.column(col)
    like = op in ("contains", "starts", "ends")
    if token.kind == "text":
        if not token.text:
            return None
        reader.at += 1
        return token.text if like else reader.linker.value(col, token.text) or token.text
    if (percent := read_percent(reader)) is not None and not like:
        reader.at += 1 if token.percent is not None else 2
        return convert_percent(reader, col, percent)
    if token.text.isdigit() and token.text[0] == "0" and len(token.text) > 1 and dates.is_text(column):
        reader.at += 1
        return token.text  # `09700166582` is no number
    if token.value is not None and not like and not (token.kind == "word" and dates.is_text(column)):
        reader.at += 1
        value: int | float = token.value
        scale = SCALES.get(reader.low(), 1)
        if scale > 1:
            reader.at += 1
        if reader.low() in lexicon.MEASURE_UNITS and dates.find_unit(reader.low()) != "day":
            reader.at += 1
            reader.take("old")
        if dates.is_date(column):
            reader.at -= 1
            return None
        return value * scale
    if like:
        shown = token.kind == "word" and (
            token.low not in lexicon.FUNCTION or (len(token.text) == 1 and token.text.isupper())
        )
        reader.at += shown
        return token.text if shown else None
    for link in reader.links():
        hit = next((h for h in link.values if h.target == col), None)
        if hit is not None:
            reader.at += link.size
            return hit.value
    exact = reader.linker.value(col, token.text)
    if exact is not None and token.low not in lexicon.FUNCTION:
        reader.at += 1
        return exact
    return _read_spelled(reader, col) if dates.is_text(column) and op in ("=", "!=") else None


def read_percent(reader: Reader) -> int | float | None:
    """The 10 of `10%` or `10 percent`."""
    token = reader.token()
    if token is None:
        return None
    return token.value if reader.low(1) in ("percent", "%") else token.percent


def convert_percent(reader: Reader, col: Col, percent: int | float) -> int | float:
    """A percentage as the column holds it. Raises QuestionError where neither its name nor its comment tells how."""
    if names_percent(reader, col):
        return percent
    if SHARE.search(reader.column(col).comment):
        reader.assume(f"{percent}% is read as {percent / 100} of {col.table[1]}.{col.name}.")
        return percent / 100
    raise QuestionError(
        f"Nothing tells how {col.name} holds {percent}%: compare it with a number as it stands there.",
        words=[f"{percent}%"],
        reason="ambiguous",
    )


def names_percent(reader: Reader, col: Col) -> bool:
    """Whether the column's name says that it holds percentages."""
    return bool({"percent", "percentage", "pct"} & set(reader.linker.column_words(col.table, col.name)))


def _read_spelled(reader: Reader, col: Col) -> str | None:
    """Capitalised words as a value that the index does not hold: only where it holds none of the column."""
    if col in reader.linker.values:
        return None
    words: list[str] = []
    plain = lexicon.FUNCTION | lexicon.LEADS | lexicon.VERBS
    while (token := reader.token()) is not None and token.kind == "word" and token.text[:1].isupper():
        if token.low in plain:
            break
        if reader.link() is not None and words == []:
            return None
        words.append(token.text)
        reader.at += 1
    return " ".join(words) or None


def add_comparison(reader: Reader, col: Col, op: str, values: tuple[Literal, ...], negated: bool) -> None:
    column = reader.column(col)
    trailing = reader.trailing() if op == "=" and len(values) == 1 else None
    if trailing is not None:
        op = trailing[0]
        reader.at += trailing[1]
    if dates.is_date(column):
        raise QuestionError(f"{col.name} is a date; compare it with a day, month or year.", words=[str(values[0])])
    op = lexicon.COMPARISONS.get(op, op)
    if negated:
        if op not in FLIPPED:
            raise QuestionError(f'"not" before "{op}" is not read yet.', words=["not"])
        op = FLIPPED[op]
    reader.add(Compare(col, op, values))
