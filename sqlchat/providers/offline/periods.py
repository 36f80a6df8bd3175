"""Periods in a question's words, and the column of dates that they speak of. Called by the conditions and phrases."""

from __future__ import annotations

from collections.abc import Container, Sequence

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import stem
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.durations import find_day
from sqlchat.providers.offline.links import Col, Hit, Key
from sqlchat.providers.offline.query import AnyOf, Compare, DatePart, Period
from sqlchat.providers.offline.reader import Reader, is_participle

OF_TIME = lexicon.words("date time at on day year")
AGAINST = (("versus",), ("vs",), ("compared", "to"), ("compared", "with"), ("against",), ("vs", "."))
TO = ("and", "to", "until", "through")
PREPOSITIONS = ("in", "on", "during", "from", "of", "for", "within", "at")
TIMES = frozenset({"after", "before", "since", "until"})
OPENINGS = TIMES | {"between", "in", "on", "during", "from", "of", "for", "within", "", "="}


def read(reader: Reader) -> bool:
    """`in 2024`, `since March 2023`, `before 1980`, `between 2023 and 2024`, `last year`."""
    mark = reader.at
    negated = reader.low() == "not" and reader.low(1) in ("in", "during", "on", "from") and reader.take("not")
    named = find_named_time(reader)
    said = reader.at
    op = _read_operator(reader)
    said = said if op in ("between", "from") else reader.at
    opening = dates.read_opening if op in ("between", "from") else lambda *_: None
    span = dates.read(reader.tokens, reader.at, reader.today) or opening(reader.tokens, reader.at)
    if span is None or (op == "between" and reader.low(span.size) not in TO) or op not in OPENINGS:
        reader.at = mark
        return False
    reader.at += span.size
    start, end, years = span.start.isoformat(), span.end.isoformat(), _list_years(span)
    if op in ("between", "from") and reader.low() in ("and", "to", "until", "through"):
        second = dates.read(reader.tokens, reader.at + 1, reader.today)
        if second is None:
            reader.at = mark
            return False
        reader.at += 1 + second.size
        end = second.end.isoformat()
        years = (*years, *_list_years(second)) if second.year and years else ()
        op = "between"
    other = _read_other_period(reader) if op in ("in", "", "of", "for", "during") and not negated else None
    told = " ".join(token.text for token in reader.tokens[said : reader.at])
    col = named or find_spoken_time(reader)
    if col is None:
        reader.at = mark
        return False
    trailing = reader.trailing()
    if trailing is not None and trailing[0] in ("since", "until"):
        op = trailing[0]
        reader.at += trailing[1]
    plain = op in ("in", "", "of", "for", "during", "on")
    alternatives = _read_more_years(reader, years) if plain else ()
    more = _read_more_periods(reader, col, span) if plain and not (alternatives or negated or other) else ()
    if named is None:
        whole = None if op == "between" or more else dates.unit_of(span.start, span.end)
        words = (told, *map(str, alternatives), *(text for _, text in more))
        _state_column(reader, words, whole, col, reader.low(mark - 1 - reader.at))
    if span.relative:
        reader.assume(f"Counted from today, {reader.today.isoformat()}: {start} up to and without {end}.")
    if other is not None:
        _compare_periods(reader, col, span, other)
    elif more:
        spans = (span, *(one for one, _ in more))
        reader.add(AnyOf(tuple(Period(col, one.start.isoformat(), one.end.isoformat()) for one in spans)))
    elif negated and (
        alternatives or op == "between" or not dates.is_date(reader.column(col)) or reader.has_several(col)
    ):
        reader.at = mark
        return False
    elif negated:
        reader.add(AnyOf((Period(col, None, start), Period(col, end, None))))
    else:
        _add_period(reader, col, op, (start, end), (*years, *alternatives))
    return True


def _read_operator(reader: Reader) -> str:
    """The word in front of a period, as an operator: `before`, `between`, `in`; empty without one."""
    hit = reader.phrase(lexicon.OPERATORS)
    if hit:
        reader.at += hit[1]
        return hit[0]
    op = reader.low() if reader.low() in PREPOSITIONS else ""
    reader.at += bool(op)
    return op


def _read_other_period(reader: Reader) -> dates.Span | None:
    """`versus 2023`, `compared to March 2024`, `and in 2023` of a figure: the period beside the one before."""
    mark = reader.at
    again = reader.counted and reader.focus.related is None and reader.low(1) in ("in", "during")
    if not reader.take_any(AGAINST) and not (again and reader.take("and")):
        return None
    reader.skip({"in", "to", "with", "the"})
    found = dates.read(reader.tokens, reader.at, reader.today)
    reader.at = mark if found is None else reader.at + found.size
    return found


def _compare_periods(reader: Reader, col: Col, one: dates.Span, other: dates.Span) -> None:
    units = {dates.unit_of(span.start, span.end) for span in (one, other)}
    unit = next(iter(units)) if len(units) == 1 else None
    if (
        unit is None
        or not dates.is_date(reader.column(col))
        or any(isinstance(g, DatePart) for g in reader.query.groups)
    ):
        raise QuestionError("Only two years, quarters, months or days are compared.", words=[one.start.isoformat()])
    spans = sorted((span.start.isoformat(), span.end.isoformat()) for span in (one, other))
    reader.add(AnyOf(tuple(Period(col, start, end) for start, end in spans)))
    reader.query.groups.append(DatePart(col, unit))


def _list_years(span: dates.Span) -> tuple[int, ...]:
    return (span.year,) if span.year else ()


def _state_column(reader: Reader, words: Sequence[str], whole: str | None, col: Col, before: str) -> None:
    """State which column a period is put on that the question named none for; `whole` is its unit if it is one.

    Raises QuestionError if it is a further one, after `and`, of another day than the one before.
    """
    others = [c.col for c in reader.focus.conditions if isinstance(c, Period) and c.col != col]
    told = " or ".join(words)
    if others and before in ("and", "but", "or"):
        ways = f"of {others[0].name} as well, or of {col.name}"
        raise QuestionError(f"It is not clear whether {told} is {ways}.", words=[told], reason="ambiguous")
    shown = f"{col.table[1]}.{col.name}"
    if dates.is_date(reader.column(col)):
        shown = f"the {whole} of {shown}" if whole else f"a period of {shown}"
    reader.assume(f"{told[:1].upper()}{told[1:]} is read as {shown}.")


def _read_more_years(reader: Reader, years: tuple[int, ...]) -> tuple[int, ...]:
    """`2014 or 2015`."""
    found: list[int] = []
    while years and reader.low() in ("or",):
        more = dates.read(reader.tokens, reader.at + 1, reader.today)
        if more is None or not more.year:
            break
        reader.at += 1 + more.size
        found.append(more.year)
    return tuple(found)


def _read_more_periods(reader: Reader, col: Col, first: dates.Span) -> tuple[tuple[dates.Span, str], ...]:
    """`and 2026`, `or today`: further periods of the same days, and their words.

    No row lies in two of them, so that `and` means either, if the days are of the rows that are asked for.
    """
    found: list[tuple[dates.Span, str]] = []
    own = reader.focus.related is None and col.table in (reader.query.subject, reader.measured)
    while dates.is_date(reader.column(col)) and reader.low() in (("or", "and") if own else ("or",)):
        at = reader.at + 1
        while reader.tokens[at : at + 1] and reader.tokens[at].low in ("in", "on"):
            at += 1
        span = dates.read(reader.tokens, at, reader.today)
        spans = [first, *(one for one, _ in found)]
        if span is None or any(span.start < one.end and one.start < span.end for one in spans):
            break
        found.append((span, " ".join(token.text for token in reader.tokens[at : at + span.size])))
        reader.at = at + span.size
    return tuple(found)


def _add_period(reader: Reader, col: Col, op: str, days: tuple[str, str], years: tuple[int, ...]) -> None:
    start, end = days
    column = reader.column(col)
    if not dates.is_date(column):
        if not years:
            raise QuestionError(f"{col.name} holds years, not days.", words=[start])
        if op == "between":
            reader.add(Compare(col, "between", years))
        else:
            reader.add(Compare(col, lexicon.COMPARISONS.get(op, "="), years))
        return
    if op in ("after",):
        reader.add(Period(col, end, None))
    elif op == "before":
        reader.add(Period(col, None, start))
    elif op == "since":
        reader.add(Period(col, start, None))
    elif op == "until":
        reader.add(Period(col, None, end))
    elif len(years) > 1 and op != "between":
        reader.add(AnyOf(tuple(Period(col, f"{year}-01-01", f"{year + 1}-01-01") for year in years)))
    else:
        reader.add(Period(col, start, end))


def find_named_time(reader: Reader, before: Container[str] = ()) -> Col | None:
    """A date column named in front of a period: `signed up in 2024`, `with an order date after 2023`.

    `before` are more words that may come after it.
    """
    mark = reader.at
    reader.skip(
        {"whose", "with", "a", "an", "the", "having", "where", "were", "was", "is", "are", "been", "who", "that"}
    )
    table = reader.focus.table
    if table is None or reader.done:
        reader.at = mark
        return None
    link = reader.link()
    dated = [h for h in link.columns if _timely(reader, h)] if link else []
    if link is not None and dated:
        reader.at += link.size
        reader.skip({"is", "was", "of", "are", "were"})
        if (
            reader.phrase(lexicon.OPERATORS)
            or dates.read(reader.tokens, reader.at, reader.today)
            or reader.low() in lexicon.IN
            or reader.low() in before
        ):
            return reader.resolve(dated, link.text, table).col
    elif (token := reader.token()) is not None and token.kind == "word":
        names = {
            c.name: [
                w
                for w in reader.linker.column_words(table, c.name)
                if w not in ("date", "time", "at", "on", "day", "year")
            ]
            for c in reader.linker.tables[table].columns
            if dates.is_date(c) or "year" in reader.linker.column_words(table, c.name)
        }
        fitting = [n for n, words in names.items() if [stem(w) for w in words] == [token.stem]]
        if not fitting and token.low in lexicon.JOINED:
            fitting = [n for n, words in names.items() if not lexicon.JOINED.isdisjoint(words)]
        if len(fitting) == 1:
            reader.at += token.low not in TIMES  # `clients since 2024` tells the day and the way
            return Col(table, fitting[0])
    reader.at = mark
    return None


def read_done_per(reader: Reader) -> bool:
    """`opened` in `tickets opened per month`: what was done tells which of several days is meant."""
    token, table = reader.token(), reader.focus.table
    if token is None or table is None or not is_done_per(reader):
        return False
    found = [Col(table, c.name) for c in reader.linker.tables[table].columns if dates.is_date(c)]
    fitting = [col for col in found if stem(reader.linker.column_words(table, col.name)[0]) == token.stem]
    if len(fitting) != 1:
        return False
    reader.at += 1
    reader.timed = fitting[0]
    return True


def is_done_per(reader: Reader) -> bool:
    """Whether a participle comes next and `per month` or the like after it."""
    follows = reader.low(1) in ("per", "by", "each", "every") and dates.find_unit(reader.low(2)) is not None
    return follows and is_participle(reader.low())


def _timely(reader: Reader, hit: Hit) -> bool:
    column = reader.column(hit.col)
    return dates.is_date(column) or "year" in reader.linker.column_words(hit.col.table, column.name)


def find_spoken_time(reader: Reader) -> Col | None:
    """The column of dates that a bare period speaks of: of what is measured or counted, else of the focus."""
    subject, related = reader.measured or reader.query.subject, reader.focus.related
    if related is not None and subject is not None and subject != related.table:
        if reader.joins.distance(subject, related.table)[0] > 1:
            return _time_of_doing(reader, subject, related.table)
        if subject == reader.query.subject and (own := find_time(reader, subject)) is not None:
            reader.back_to_subject()  # `orders of customers in 2024`: the orders' day, whatever days customers have
            return own
    grouped = [g.col for g in reader.query.groups if isinstance(g, DatePart)]
    for table in (reader.measured, reader.focus.table):
        if table is None:
            continue
        if len(grouped) == 1 and grouped[0].table == table:
            return grouped[0]  # `per month of loaned_on in 2024`
        col = find_time(reader, table)
        if col is not None:
            _one_listed(reader, col)
            return col
    return None


def _one_listed(reader: Reader, col: Col) -> None:
    """Raises QuestionError where another of the things listed side by side has a time of its own."""
    others = [table for table in reader.listed if table != col.table] if reader.measured is None else []
    for table in others:
        if (other := reader.time_column(table)) is not None:
            raise QuestionError(
                f"The period may be that of {col.table[1]}.{col.name} or of {table[1]}.{other.name}.",
                words=[],
                reason="ambiguous",
            )


def _time_of_doing(reader: Reader, subject: Key, related: Key) -> Col | None:
    """The time of what the subject did or what was done to it: `customers who placed orders in 2024` has the orders'.

    Raises QuestionError where that may be any of several.
    """
    if (col := find_time(reader, related)) is not None:
        return col
    if subject == reader.query.subject and not _dated_between(reader, subject, related):
        reader.back_to_subject()  # `orders that contain Furniture in 2024`: only the orders have a day
        return find_time(reader, subject)
    raise QuestionError(
        f"The period may be that of {subject[1]} or of what leads from them to {related[1]}.",
        words=[],
        reason="ambiguous",
    )


def _dated_between(reader: Reader, subject: Key, related: Key) -> bool:
    """Whether a table on the way from the one to the other has a time of its own."""
    way = reader.joins.path(subject, related) or []
    between = {table for edge in way for table in (edge.source, edge.target)} - {subject}
    return any(reader.time_column(table) is not None for table in between)


def read_named_date(reader: Reader) -> Col | None:
    """The column of dates that is named after a unit: `per month of loaned_on`, `per month by discharged at`."""
    mark = reader.at
    reader.at += reader.low() == "," and reader.low(1) == "by"
    if reader.low() not in ("of", "by", "from", "for", "using"):
        return None
    reader.at += 1
    reader.skip({"the", "their"})
    link = reader.link()
    dated = [h for h in link.columns if dates.is_date(reader.column(h.col))] if link is not None else []
    if link is not None and dated:
        reader.at += link.size
        return reader.resolve(dated, link.text, reader.measured or reader.query.subject).col
    day = find_day(reader, reader.low()) if link is None else None
    reader.at = mark if day is None else reader.at + 1
    return day


def find_time(reader: Reader, table: Key) -> Col | None:
    """The table's own time, or that of the nearest table up its keys."""
    return reader.time_column(table) or _find_parent_time(reader, table)


def _find_parent_time(reader: Reader, table: Key) -> Col | None:
    """The one date among the nearest tables up the keys: the day of an order for its lines."""
    found = []
    for other in reader.linker.tables:
        near, steps = reader.joins.distance(table, other)
        if near == 1 and (col := reader.time_column(other)) is not None:
            found.append((steps, col))
    nearest = min((steps for steps, _ in found), default=0)
    cols = [col for steps, col in found if steps == nearest]
    return cols[0] if len(cols) == 1 else None
