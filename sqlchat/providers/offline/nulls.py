"""Values that are not there: `without an email`, `have no discount code`, `not returned yet`, `email is empty`.

Each function gives True and has stepped over what it read, or False and over nothing.
"""

from __future__ import annotations

from sqlchat.language import lexicon
from sqlchat.language.tokens import Token, stem, tokenize
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.links import Col, Key
from sqlchat.providers.offline.query import AnyOf, Compare, Null, Period
from sqlchat.providers.offline.reader import Reader, is_participle

LEADING = lexicon.words("that which who where whose and is are was were be been have has had having with do does did")
LACKING = lexicon.words("no without lacking missing never not n't don't doesn't haven't hasn't didn't isn't aren't")
EMPTY = lexicon.words("empty missing null blank unknown unset")
FILLED = lexicon.words("known set given filled present available")
UNTIL = "until"
ARTICLES = lexicon.words("a an any the been be yet have has")


def read(reader: Reader) -> bool:
    """One condition on a value that is not there, on what is spoken of."""
    return _is_empty(reader) or _lacking(reader) or _read_undone(reader) or read_done(reader)


def _is_empty(reader: Reader) -> bool:
    """`email is empty`, `whose discount code is not known`."""
    mark = reader.at
    reader.skip(LEADING | ARTICLES)
    col = _column(reader)
    if col is None:
        reader.at = mark
        return False
    linked = reader.low() in ("is", "are", "was", "were")
    reader.at += linked
    negated = reader.take("not") or reader.take("isn't")
    word = reader.low()
    if not linked or word not in EMPTY | FILLED:
        reader.at = mark
        return False
    reader.at += 1
    reader.add(Null(col, negated=(word in FILLED) != negated))
    return True


def _lacking(reader: Reader) -> bool:
    """`without an email`, `have no discount code`, `with a missing email`."""
    mark = reader.at
    lacking = False
    while reader.low() in LEADING | LACKING | ARTICLES:
        lacking = lacking or reader.low() in LACKING
        reader.at += 1
    link = reader.link()
    col = _column(reader) if lacking and link is not None and not link.tables and not link.values else None
    known = col is not None and (reader.done or not (_is_compared(reader) or _is_told_how(reader)))
    if col is None or not known or reader.linker.is_flag(col):
        reader.at = mark
        return False
    reader.take("yet")
    if dates.is_number(reader.column(col)):
        reader.assume(f"{col.table[1]}.{col.name} is 0 or not known where there is no {col.name}.")
        reader.add(AnyOf((Null(col), Compare(col, "=", (0,)))))
        return True
    reader.assume(f"{col.table[1]}.{col.name} is not known where there is no {col.name}.")
    reader.add(Null(col))
    return True


def _read_undone(reader: Reader) -> bool:
    """`not returned yet`, `have not been delivered`: no date of what was not done."""
    mark = reader.at
    lacking = False
    while reader.low() in LEADING | LACKING | ARTICLES:
        lacking = lacking or reader.low() in LACKING
        reader.at += 1
    token, table = reader.token(), reader.focus.table
    if token is not None and token.low.startswith("un") and is_participle(token.low[2:]) and not reader.links():
        token, lacking = tokenize(token.low[2:])[0], not lacking
    if (
        not lacking
        or token is None
        or table is None
        or not is_participle(token.low)
        or reader.is_dated(reader.at + 1)
    ):
        reader.at = mark
        return False
    fitting = _days_of(reader, table, token)
    reader.at += 1
    valued = _is_told_how(reader)
    reader.at -= 1
    valued = valued or any(link.values for link in reader.links())
    if len(fitting) != 1 or valued or UNTIL in reader.linker.column_words(table, fitting[0].name):
        reader.at = mark
        return False
    reader.at += 1
    reader.take("yet")
    reader.assume(f'"not {token.text}" is read as {table[1]}.{fitting[0].name} not being known.')
    reader.add(Null(fitting[0]))
    return True


def read_done(reader: Reader) -> bool:
    """`cancelled` in `members joined in 2024 and cancelled`, `how many members cancelled`: there is a day of it."""
    mark = reader.at
    reader.skip(LEADING | ARTICLES)
    token, table = reader.token(), reader.focus.table
    if token is None or table is None or not is_participle(token.low) or reader.is_dated(reader.at + 1):
        reader.at = mark
        return False
    following = reader.token(1)
    fitting = _days_of(reader, table, token)
    ends = following is None or following.kind == "sign" or following.low in ("and", "or", "but", "already")
    if len(fitting) != 1 or not ends or any(link.values for link in reader.links()):
        reader.at = mark
        return False
    reader.at += 1
    if UNTIL in reader.linker.column_words(table, fitting[0].name):
        reader.assume(f'"{token.text}" is read as {table[1]}.{fitting[0].name} not being over.')
        reader.add(Period(fitting[0], reader.today.isoformat(), None))
        return True
    if not reader.column(fitting[0]).nullable:  # each row has that day
        return True
    reader.assume(f'"{token.text}" is read as {table[1]}.{fitting[0].name} being known.')
    reader.add(Null(fitting[0], negated=True))
    return True


def _days_of(reader: Reader, table: Key, token: Token) -> list[Col]:
    """The dates of the table that are named like what was done."""
    found = [Col(table, c.name) for c in reader.linker.tables[table].columns if dates.is_date(c)]
    return [c for c in found if stem(reader.linker.column_words(table, c.name)[0]) == token.stem]


def _column(reader: Reader) -> Col | None:
    """The column of what is spoken of that comes next, stepped over."""
    link, table = reader.link(), reader.focus.table
    if link is None or table is None or not link.columns:
        return None
    if any(hit.tier < min(h.tier for h in link.columns) for hit in link.tables):
        return None  # `treatments`, of `cost_of_treatment`
    near = [
        h for h in link.columns if isinstance(h.target, Col) and reader.joins.distance(table, h.target.table)[0] < 1
    ]
    if not near:
        return None
    col = reader.resolve(near, link.text, table).target
    reader.at += link.size
    return col if isinstance(col, Col) else None


def _is_told_how(reader: Reader) -> bool:
    """Whether `by card` or the like follows what was not done, which denies the card alone."""
    after = reader.link(reader.at + 1)
    told = is_participle(reader.low(-1)) and reader.low() in lexicon.IN
    return told and after is not None and bool(after.values) and not after.tables


def _is_compared(reader: Reader) -> bool:
    token = reader.token()
    operator = reader.phrase(lexicon.OPERATORS) or reader.phrase(lexicon.LIKES)
    return token is not None and (operator is not None or token.value is not None or token.kind in ("text", "date"))
