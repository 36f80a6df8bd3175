"""Conditions in a question's words: comparisons with numbers and texts, and bare values. Called by the grammar.

Each reader tries one kind at the current word; it gives True and has stepped over what it read, or False and has
stepped over nothing.
"""

from __future__ import annotations

from sqlchat.errors import QuestionError
from sqlchat.providers.offline import dates, lexicon, periods, values
from sqlchat.providers.offline.linker import Col, Hit, Link
from sqlchat.providers.offline.query import AnyOf, Average, Compare, Literal
from sqlchat.providers.offline.reader import Reader
from sqlchat.providers.offline.words import SCALES
from sqlchat.sql.catalog import Column

BEFORE_VALUE = lexicon.words("is are was were be been of the a an as named called name value values equal equals")
FLIPPED = {"=": "!=", "!=": "=", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}


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
        if reader.focus.conditions is not target or start > 0 or before - start != 1 or not _one(reader):
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
        _average(reader)
        or _column(reader)
        or _counted_column(reader)
        or _aged(reader)
        or _named(reader)
        or _adjective(reader)
        or periods.read(reader)
        or values.read(reader)
    )


def _average(reader: Reader) -> bool:
    """`above the average age`, `older than average`."""
    mark = reader.at
    col = None
    adjective = reader.adjective(lexicon.COMPARATIVES.get(reader.low(), ()), reader.focus.table)
    if adjective:
        col = adjective[0]
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is None or lexicon.COMPARISONS.get(hit[0]) not in (">", "<", ">=", "<="):
        return False
    op = lexicon.COMPARISONS[hit[0]]
    if adjective:
        op = adjective[1]
    reader.at += hit[1]
    reader.skip({"the"})
    if reader.low() not in ("average", "mean"):
        reader.at = mark
        return False
    reader.at += 1
    link = reader.link()
    if link is not None and link.columns and col is None:
        found = reader.resolve(link.columns, link.text, reader.focus.table).target
        assert isinstance(found, Col)
        col = found
        reader.at += link.size
    if col is None or col.table != reader.focus.table:
        reader.at = mark
        return False
    reader.add(Average(col, op))
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
    comparative = reader.low() if reader.low() in GREATER else ""
    if comparative and reader.low(1) != "than":
        reader.at += 1
    link = reader.link()
    if (
        link is None
        or not link.columns
        or (link.tables and min(h.tier for h in link.tables) < min(h.tier for h in link.columns))
    ):
        reader.at = mark
        return False
    reader.at += link.size
    if comparative and reader.at - link.size > mark and reader.low() == "than":
        return _than(reader, mark, link, GREATER[comparative])
    reader.skip({"of", "is", "are", "was", "were", "that", "which", "value"})
    negated = False
    if reader.low() in ("not", "isn't"):
        negated = True
        reader.at += 1
    if _column_average(reader, link):
        return True
    op = _operator(reader)
    reader.skip(BEFORE_VALUE)
    col = _col(reader.resolve(_holding(reader, link, op), link.text, reader.focus.table))
    operands = _operands(reader, col, op)
    if operands is None:
        reader.at = mark
        return False
    _add(reader, col, op, operands, negated)
    return True


GREATER = {"greater": ">", "larger": ">", "higher": ">", "bigger": ">", "smaller": "<", "lower": "<", "lesser": "<"}


def _than(reader: Reader, mark: int, link: Link, op: str) -> bool:
    """`a greater weight than 10`."""
    reader.at += 1
    col = _col(reader.resolve(link.columns, link.text, reader.focus.table))
    operands = _operands(reader, col, op)
    if operands is None:
        reader.at = mark
        return False
    _add(reader, col, op, operands, negated=False)
    return True


def _column_average(reader: Reader, link: Link) -> bool:
    """`weight below the average weight`."""
    mark = reader.at
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is None or lexicon.COMPARISONS.get(hit[0]) not in (">", "<", ">=", "<="):
        return False
    reader.at += hit[1]
    reader.skip({"the"})
    if reader.low() not in ("average", "mean"):
        reader.at = mark
        return False
    reader.at += 1
    again = reader.link()
    if again is not None and again.columns:
        if {h.target for h in again.columns} != {h.target for h in link.columns}:
            reader.at = mark
            return False
        reader.at += again.size
    col = _col(reader.resolve(link.columns, link.text, reader.focus.table))
    reader.add(Average(col, lexicon.COMPARISONS[hit[0]]))
    return True


def _operator(reader: Reader) -> str:
    adjective = lexicon.COMPARATIVES.get(reader.low())
    hit = reader.phrase(lexicon.LIKES) or reader.phrase(lexicon.OPERATORS)
    if hit is None:
        if adjective and reader.low(1) == "than":
            reader.at += 2
            return adjective[0][1]
        return "="
    reader.at += hit[1]
    return hit[0]


def _holding(reader: Reader, link: Link, op: str) -> list[Hit]:
    """The hits of a column's name that hold the value which follows, where a value does."""
    value = reader.link()
    if op not in ("=", "!=") or value is None or not value.values:
        return link.columns
    holders = {hit.target for hit in value.values}
    return [hit for hit in link.columns if hit.target in holders] or link.columns


def _operands(reader: Reader, col: Col, op: str) -> tuple[Literal, ...] | None:
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
                if reader.several(col):
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
    if token.value is not None and not like and not (token.kind == "word" and dates.is_text(column)):
        reader.at += 1
        value: int | float = token.value
        scale = SCALES.get(reader.low(), 1)
        if scale > 1:
            reader.at += 1
        if reader.low() in lexicon.MEASURE_UNITS and dates.unit(reader.low()) != "day":
            reader.at += 1
            reader.take("old")
        if dates.is_date(column):
            reader.at -= 1
            return None
        return value * scale
    if like:
        return None
    for link in reader.links():
        hit = next((h for h in link.values if h.target == col), None)
        if hit is not None:
            reader.at += link.size
            return hit.value
    exact = reader.linker.value(col, token.text)
    if exact is not None and token.low not in lexicon.FILLERS:
        reader.at += 1
        return exact
    return _spelled(reader, col) if dates.is_text(column) and op in ("=", "!=") else None


def _spelled(reader: Reader, col: Col) -> str | None:
    """Capitalised words as a value that the index does not hold: only where it holds none of the column."""
    if col in reader.linker.values:
        return None
    words: list[str] = []
    while (token := reader.token()) is not None and token.kind == "word" and token.text[:1].isupper():
        if reader.link() is not None and words == []:
            return None
        words.append(token.text)
        reader.at += 1
    return " ".join(words) or None


def _add(reader: Reader, col: Col, op: str, values: tuple[Literal, ...], negated: bool) -> None:
    column = reader.column(col)
    trailing = reader.phrase(lexicon.TRAILING) if op == "=" and len(values) == 1 else None
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


def _counted_column(reader: Reader) -> bool:
    """`more than 4 cylinders`, `4 cylinders`, `less than 10 in stock`: a number before a numeric column."""
    mark = reader.at
    reader.skip({"a", "an", "with", "having", "have", "has", "had"})
    negated = reader.low() == "not"
    hit = reader.phrase(lexicon.OPERATORS)
    op = "="
    if hit is not None:
        op = lexicon.COMPARISONS.get(hit[0], "")
        reader.at += hit[1]
    if hit is not None and _above_column(reader, op):
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
        h for h in link.columns if dates.is_number(_column_of(reader, h)) and not reader.linker.is_key(_col(h))
    ]
    if not numeric:
        reader.at = mark
        return False
    col = _col(reader.resolve(numeric, link.text, reader.focus.table))
    reader.at += link.size
    _add(reader, col, op, (token.value,), negated=False)
    return True


def _above_column(reader: Reader, op: str) -> bool:
    """`above age 20`, `over the age of 30`, after its first word."""
    mark = reader.at
    reader.skip({"the", "an", "a"})
    link = reader.link()
    numeric = [h for h in link.columns if dates.is_number(_column_of(reader, h))] if link is not None else []
    if link is None or not numeric or reader.focus.table is None or not op:
        reader.at = mark
        return False
    reader.at += link.size
    reader.take("of")
    col = _col(reader.resolve(numeric, link.text, reader.focus.table))
    operands = _operands(reader, col, op)
    if operands is None:
        reader.at = mark
        return False
    _add(reader, col, op, operands, negated=False)
    return True


def _aged(reader: Reader) -> bool:
    """`aged between 20 and 30`, `at least 75 years old`."""
    mark = reader.at
    reader.skip({"who", "are", "is", "that", "were", "was"})
    aged = reader.take("aged")
    col = reader.named_column(reader.focus.table, "age") if reader.focus.table else None
    hit = reader.phrase(lexicon.OPERATORS)
    if hit is not None:
        reader.at += hit[1]
    operands = _operands(reader, col, hit[0] if hit else "=") if col is not None else None
    old = reader.low(-1) in ("old", "older") or reader.take("years", "old")
    if col is None or operands is None or not (aged or old):
        reader.at = mark
        return False
    _add(reader, col, hit[0] if hit else "=", operands, negated=False)
    return True


def _named(reader: Reader) -> bool:
    """`named "Smith"`, `that start with "A"`: a text that the name of what is spoken of is compared with."""
    mark = reader.at
    table = reader.focus.table
    display = reader.linker.display(table) if table else []
    reader.skip({"that", "which", "who", "whose", "is", "are"})
    called = reader.low() in ("named", "called", "titled")
    like = reader.phrase(lexicon.LIKES)
    if called:
        reader.at += 1
    elif like is not None:
        reader.at += like[1]
    op = like[0] if like is not None and not called else "="
    token = reader.token()
    unknown = token is not None and token.kind == "text" and (called or like is not None or not reader.links())
    if len(display) != 1 or not (unknown or called):
        reader.at = mark
        return False
    operands = _operands(reader, display[0], op)
    if operands is None:
        reader.at = mark
        return False
    _add(reader, display[0], op, operands, negated=False)
    return True


def _adjective(reader: Reader) -> bool:
    """`older than 20`, `heavier than 10 kg`."""
    found = reader.adjective(lexicon.COMPARATIVES.get(reader.low(), ()), reader.focus.table)
    if found is None or reader.low(1) != "than":
        return False
    mark = reader.at
    reader.at += 2
    operands = _operands(reader, found[0], found[1])
    if operands is None:
        reader.at = mark
        return False
    _add(reader, found[0], found[1], operands, negated=False)
    return True


def _column_of(reader: Reader, hit: Hit) -> Column:
    return reader.column(_col(hit))


def _col(hit: Hit) -> Col:
    assert isinstance(hit.target, Col)
    return hit.target
