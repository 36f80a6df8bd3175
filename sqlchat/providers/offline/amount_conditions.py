"""Amounts without a column: `under 20 euros`, `out of stock`, `aged between 20 and 30`. Called by the conditions."""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import name_words, stem
from sqlchat.providers.offline import dates, nouns
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.naming import DELAYS, KEPT_IN, drop_unit
from sqlchat.providers.offline.operands import add_comparison, read_operands
from sqlchat.providers.offline.query import Compare
from sqlchat.providers.offline.reader import Reader

ABLE = lexicon.words("can could")
HOLDING = lexicon.words("take hold fit seat sleep accommodate host carry")
FITTING = (("big", "enough"), ("large", "enough"), ("suitable",), ("with", "room"), ("with", "space"))
HEADS = lexicon.words(
    "people persons person guests players passengers adults children visitors pupils students participants "
    "members group"
)
"""Whom there may be room for."""
ROOM = lexicon.words("capacity seats seating places beds berths sleeps")
"""Last words of columns with the number of those for whom there is room."""
CURRENCIES = lexicon.words("euros euro dollars dollar eur usd pounds")


PRICES = lexicon.words("price cost rent salary fee amount total wage budget rate")
BY_MONTH = {
    "night": "nightly",
    "week": "weekly",
    "monthly": "monthly",
    "month": "monthly",
    "day": "daily",
    "hour": "hourly",
    "year": "yearly",
}


def read_price(reader: Reader) -> bool:
    """`under 20 euros`, `of 500 or more`, `over 1500 a month`: the one price or amount of what is spoken of."""
    mark = reader.at
    reader.skip({"for", "that", "which", "are", "is", "of", "worth", "with"})
    table = reader.focus.table
    prices = _list_prices(reader, table) if table is not None else []
    hit = reader.phrase(lexicon.OPERATORS)
    if len(prices) != 1 or (hit is None and reader.at == mark) or reader.focus.related is not None:
        reader.at = mark
        return False
    reader.at += hit[1] if hit is not None else 0
    operands = read_operands(reader, prices[0], hit[0] if hit is not None else "=")
    last = reader.token(-1)
    currency = last is not None and (last.low in CURRENCIES or last.text[:1] in "$€£")
    timed = _skip_unit(reader, prices[0])
    plain = operands is not None and all(isinstance(value, int | float) for value in operands)
    worded = reader.tokens[mark].low in ("of", "worth")
    plain = plain and (currency or timed or reader.tokens[reader.at - 1].kind == "number")
    bare = (worded or _holds_money(reader, prices)) and _stands_alone(reader, hit is not None)
    if operands is None or not plain or not (currency or timed or bare):
        reader.at = mark
        return False
    reader.assume(f"The amount is compared with {prices[0].table[1]}.{prices[0].name}.")
    add_comparison(reader, prices[0], hit[0] if hit is not None else "=", operands, negated=False)
    return True


def _holds_money(reader: Reader, prices: list[Col]) -> bool:
    """Whether the column is the one amount of things that are sold or paid, so that a bare number means it."""
    return nouns.list_money(reader.linker, prices[0].table) == prices


def _list_prices(reader: Reader, table: Key) -> list[Col]:
    """The columns of numbers that a bare amount may speak of: the table's one price, or else its one amount."""
    found = []
    for column in reader.linker.tables[table].columns:
        words, col = drop_unit(reader.linker.column_words(table, column.name)), Col(table, column.name)
        if words[-1] in PRICES and dates.is_number(column) and not reader.linker.is_key(col):
            found.append(col)
    if len(money := nouns.list_money(reader.linker, table)) == 1:
        return money
    named = [c for c in found if reader.linker.column_words(table, c.name) in (("price",), ("cost",))]
    return named if len(named) == 1 else found


def _skip_unit(reader: Reader, price: Col) -> bool:
    """Step over `a month` after an amount that is kept by the month."""
    size = 2 if reader.low() in ("a", "per", "an") else 1
    unit = BY_MONTH.get(reader.low(size - 1))
    words = reader.linker.column_words(price.table, price.name)
    habitual = unit == "monthly" and words[-1] in ("rent", "salary", "wage")
    if unit is None or not (unit in words or habitual):
        return False
    reader.at += size
    return True


def _stands_alone(reader: Reader, compared: bool) -> bool:
    """Whether nothing follows the number that it may be a number of, and no year is meant."""
    token, before = reader.token(), reader.token(-1)
    year = before is not None and before.kind == "number" and before.text.isdigit() and len(before.text) == 4
    trailing = reader.trailing() is not None
    ends = token is None or token.kind == "sign" or token.low in lexicon.IN | {"and", "or", "by"}
    return (compared or trailing) and ends and not (year and 1900 <= int(before.text if before else 0) <= 2100)


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


def read_capacity(reader: Reader) -> bool:
    """`that can take 8 people`, `for 40 guests`: how many a thing has room for, by its one column that tells it.

    Raises QuestionError if no column does: what can be is never told by the rows there are.
    """
    mark, table = reader.at, reader.focus.table
    reader.skip({"that", "which", "who"})
    able = reader.low() in ABLE and reader.low(1) in HOLDING
    reader.at += 2 * able
    fitting = reader.take_any(FITTING)
    lead = able or reader.take("for")
    reader.take("up", "to")
    hit = reader.phrase(lexicon.OPERATORS)
    reader.at += hit[1] if hit is not None else 0
    token, heads = reader.token(), reader.low(1) in HEADS
    number = token.value if token is not None else None
    if not lead or table is None or not isinstance(number, int) or not (heads or able or fitting):
        reader.at = mark
        return False
    found = [
        col
        for column in reader.linker.tables[table].columns
        if dates.is_number(column)
        if is_capacity(words := reader.linker.column_words(table, column.name))
        if able or fitting or not {"capacity", "max", "maximum"}.isdisjoint(words)
        for col in (Col(table, column.name),)
    ]
    if len(found) != 1:
        if not able and not fitting and not found:
            reader.at = mark
            return False
        raise QuestionError(f"Nothing tells how many {table[1]} have room for.", words=[reader.low(-1)])
    reader.at += 1 + heads
    op = hit[0] if hit is not None and hit[0] in (">", ">=") else ">="
    reader.assume(f"How many there is room for is told by {table[1]}.{found[0].name}.")
    reader.add(Compare(found[0], op, (number,)))
    return True


def is_capacity(words: tuple[str, ...]) -> bool:
    """Whether a column of these words holds for how many there is room."""
    most = not {"max", "maximum"}.isdisjoint(words) and not HEADS.isdisjoint(words)
    return words[-1] in ROOM or (most and {"min", "minimum"}.isdisjoint(words))


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


def read_unit(reader: Reader) -> bool:
    """`between 200 and 250 km`, `over 20 kg`: the one column that is kept in this unit."""
    mark = reader.at
    reader.skip({"of", "for", "with", "that", "which", "are", "is", "were", "was", "took", "lasted", "take", "last"})
    hit, table = reader.phrase(lexicon.OPERATORS), reader.focus.table
    if hit is None or table is None or hit[0] not in (*lexicon.COMPARISONS, "between"):
        reader.at = mark
        return False
    reader.at += hit[1]
    ahead = 0
    while (token := reader.token(ahead)) is not None and (token.value is not None or token.low in ("and", "to")):
        ahead += 1
    unit = reader.low(ahead) if ahead else ""
    columns, factor = _list_kept_in(reader, table, unit), 1.0
    for other, size in SECONDS.items() if not columns and unit in SECONDS else ():
        if len(kept := _list_kept_in(reader, table, other)) == 1:
            columns, factor = kept, SECONDS[unit] / size
    operands = read_operands(reader, columns[0], hit[0]) if len(columns) == 1 else None
    if operands is None or any(isinstance(value, str) for value in operands):
        reader.at = mark
        return False
    reader.at += reader.tokens[reader.at - 1].kind == "number"
    if factor != 1:
        scaled = [float(value) * factor for value in operands]
        operands = tuple(int(value) if value.is_integer() else value for value in scaled)
    reader.assume(f"{columns[0].table[1]}.{columns[0].name} is compared.")
    add_comparison(reader, columns[0], hit[0], operands, negated=False)
    return True


def _list_kept_in(reader: Reader, table: Key, unit: str) -> list[Col]:
    names = UNIT_NAMES.get(unit, {unit}) if unit in KEPT_IN or unit in UNIT_NAMES else set()
    told = {token.stem for token in reader.tokens}
    found = []
    for column in reader.linker.tables[table].columns:
        words = name_words(column.name)
        if not told.issuperset(map(stem, DELAYS.intersection(words))):
            continue  # no crossing of more than 30 minutes is one with such a delay
        if dates.is_number(column) and (words[-1] in names or (len(words) > 1 and words[0] in names)):
            found.append(Col(table, column.name))
    return found


SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "minute": 60, "hour": 3600, "day": 86_400}
UNIT_NAMES = {
    name: frozenset(group)
    for group in (
        ("km", "kilometers", "kilometres", "kilometer", "kilometre"), ("kg", "kilos", "kilograms", "kilo"),
        ("min", "mins", "minutes", "minute"), ("h", "hrs", "hours", "hour"), ("sec", "secs", "seconds", "second"),
        ("l", "litres", "liters", "litre", "liter"), ("m", "meters", "metres"), ("days", "day"), ("miles", "mile"),
        ("sqm", "m2", "square"),
    )
    for name in group
}  # fmt: skip
