"""Amounts without a column: `under 20 euros`, `out of stock`, `aged between 20 and 30`. Called by the conditions."""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.operands import add_comparison, read_operands
from sqlchat.providers.offline.reader import Reader

CURRENCIES = lexicon.words("euros euro dollars dollar eur usd pounds")


def read_price(reader: Reader) -> bool:
    """`under 20 euros`, `between 50 and 100 dollars`: the one price of what is spoken of."""
    mark = reader.at
    reader.skip({"for", "that", "which", "are", "is"})
    table = reader.focus.table
    named = (reader.named_column(table, name) for name in ("price", "cost")) if table is not None else ()
    prices = [col for col in named if col is not None]
    hit = reader.phrase(lexicon.OPERATORS)
    if len(prices) != 1 or hit is None:
        reader.at = mark
        return False
    reader.at += hit[1]
    operands = read_operands(reader, prices[0], hit[0])
    last = reader.token(-1)
    currency = last is not None and (last.low in CURRENCIES or last.text[:1] in "$€£")
    if operands is None or not currency or reader.focus.related is not None:
        reader.at = mark
        return False
    reader.assume(f"The amount is compared with {prices[0].table[1]}.{prices[0].name}.")
    add_comparison(reader, prices[0], hit[0], operands, negated=False)
    return True


def read_stock(reader: Reader) -> bool:
    """`out of stock`, `in stock`: none, or some, of what a thing's own column counts."""
    mark = reader.at
    reader.skip({"that", "which", "are", "is"})
    out = reader.take("out", "of", "stock")
    table = reader.focus.table
    col = reader.named_column(table, "stock") if table is not None else None
    if not (out or reader.take("in", "stock")) or col is None or not dates.is_number(reader.column(col)):
        reader.at = mark
        return False
    add_comparison(reader, col, "=" if out else ">", (0,), negated=False)
    return True


def read_age(reader: Reader) -> bool:
    """`aged between 20 and 30`, `at least 75 years old`."""
    mark = reader.at
    reader.skip({"who", "are", "is", "that", "were", "was"})
    aged = reader.take("aged")
    col = reader.named_column(reader.focus.table, "age") if reader.focus.table else None
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is not None:
        reader.at += hit[1]
    operands = read_operands(reader, col, hit[0] if hit else "=") if col is not None else None
    old = reader.low(-1) in ("old", "older") or reader.take("years", "old")
    if col is None or operands is None or not (aged or old):
        reader.at = mark
        return False
    add_comparison(reader, col, hit[0] if hit else "=", operands, negated=False)
    return True
