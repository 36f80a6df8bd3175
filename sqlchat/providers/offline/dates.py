"""Time: periods in the question's words, and dates cut to a unit in SQL. Called by the conditions and the builder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sqlglot import exp

from sqlchat.language.lexicon import MONTHS, UNITS
from sqlchat.language.tokens import Token
from sqlchat.sql.catalog import Column

DATE_TYPE = re.compile(r"date|time", re.IGNORECASE)
CLOCK_TYPE = re.compile(r"time\b", re.IGNORECASE)
INTEGER_TYPE = re.compile(r"int|serial", re.IGNORECASE)
NUMBER_TYPE = re.compile(r"int|serial|num|dec|real|float|double|money", re.IGNORECASE)
NO_NUMBER_TYPE = re.compile(r"interval|point|range|enum|struct|map|union|vector|\[|^set\b", re.IGNORECASE)
"""Types whose names hold a word of NUMBER_TYPE and yet no number."""
TEXT_TYPE = re.compile(r"char|text|string|clob|enum|uuid", re.IGNORECASE)
ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": 4}
ORDINAL = re.compile(r"\d{1,2}(?:st|nd|rd|th)?")
AROUND = {"today": 0, "yesterday": -1, "tomorrow": 1}
MOST_DAYS = 10_000
RELATIVE = {"last": -1, "previous": -1, "past": -1, "this": 0, "current": 0, "next": 1, "coming": 1}


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` up to and without `end`."""

    start: date
    end: date
    size: int
    """Tokens that it took."""
    year: int | None = None
    """Where it is one whole year: that year."""
    relative: bool = False


def is_date(column: Column) -> bool:
    name = column.base_type or column.type
    if column.labels or CLOCK_TYPE.match(name):
        return False
    return bool(DATE_TYPE.search(name)) and not INTEGER_TYPE.search(name)


def is_number(column: Column) -> bool:
    name = column.base_type or column.type
    if column.labels or NO_NUMBER_TYPE.search(name):
        return False
    return bool(NUMBER_TYPE.search(name)) and not DATE_TYPE.search(name)


def is_text(column: Column) -> bool:
    return not column.type or bool(column.labels) or bool(TEXT_TYPE.search(column.base_type or column.type))


def read(tokens: list[Token], at: int, today: date) -> Span | None:
    """The period that the tokens at `at` name: a year, a month, a quarter, a day, or one relative to today."""
    lows = [t.low for t in tokens[at : at + 8]]
    if not lows:
        return None
    lead = 1 if lows[0] == "the" else 0
    lead += 2 if lows[lead : lead + 2] == ["year", "of"] else 1 if lows[lead : lead + 1] == ["year"] else 0
    rest, first = lows[lead:], tokens[at + lead] if at + lead < len(tokens) else None
    if first is None:
        return None
    if first.kind == "date":
        day = _day(first.low)
        return Span(day, day + timedelta(days=1), lead + 1) if day else None
    year = _year(first)
    if year:
        return Span(date(year, 1, 1), date(year + 1, 1, 1), lead + 1, year)
    if rest[0] in MONTHS:
        return _month(tokens, at + lead, lead)
    if ORDINAL.fullmatch(rest[0]) and (told := _day_first(rest)) is not None:
        return Span(told[0], told[0] + timedelta(days=1), lead + told[1])
    if (slashed := _month_of_numbers(tokens[at + lead : at + lead + 3])) is not None:
        return Span(*slashed, lead + 3)
    quarter = _quarter(tokens, at + lead, rest)
    if quarter:
        return Span(quarter.start, quarter.end, lead + quarter.size)
    if rest[0] in RELATIVE and len(rest) > 1 and rest[1] in ("year", "month", "quarter", "week"):
        start, end = find_span(today, rest[1], RELATIVE[rest[0]])
        return Span(start, end, lead + 2, start.year if rest[1] == "year" else None, relative=True)
    if rest[0] in ("last", "past", "previous") and len(rest) > 2 and rest[2] in ("days", "weeks", "months", "years"):
        number = tokens[at + lead + 1].value
        if isinstance(number, int) and 0 < number < MOST_DAYS and rest[2] in ("months", "years"):
            start = _go_back(today, number * (12 if rest[2] == "years" else 1))
            return Span(start, today + timedelta(days=1), lead + 3, relative=True)
        if isinstance(number, int) and 0 < number < MOST_DAYS:
            days = number * (7 if rest[2] == "weeks" else 1)
            return Span(today - timedelta(days=days - 1), today + timedelta(days=1), lead + 3, relative=True)
    if rest[0] in ("next", "coming") and len(rest) > 2 and rest[2] in ("days", "weeks"):
        number = tokens[at + lead + 1].value
        if isinstance(number, int) and 0 < number < MOST_DAYS:
            days = number * (7 if rest[2] == "weeks" else 1)
            return Span(today, today + timedelta(days=days + 1), lead + 3, relative=True)
    if rest[0] in AROUND:
        day = today + timedelta(days=AROUND[rest[0]])
        return Span(day, day + timedelta(days=1), lead + 1, relative=True)
    return None


def find_span(today: date, unit: str, shift: int) -> tuple[date, date]:
    """First day of the calendar unit `shift` away from today's, and of the one after."""
    if unit == "week":
        start = today - timedelta(days=today.weekday()) + timedelta(weeks=shift)
        return start, start + timedelta(weeks=1)
    months = {"year": 12, "quarter": 3, "month": 1}[unit]
    index = (today.year * 12 + today.month - 1) // months + shift
    return _first(index * months), _first((index + 1) * months)


def unit_of(start: date, end: date) -> str | None:
    """The year, quarter, month or day that the days from `start` up to and without `end` are, if they are one."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if start.day == end.day == 1 and months in (1, 3, 12) and (start.month - 1) % months == 0:
        return {1: "month", 3: "quarter", 12: "year"}[months]
    return "day" if end - start == timedelta(days=1) else None


def _go_back(today: date, months: int) -> date:
    """The day after the same day so many months ago, so that whole months are counted."""
    first = _first(max(today.year * 12 + today.month - 1 - months, 12))
    return first + timedelta(days=min(today.day, 28))


def _first(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)


def _day(text: str) -> date | None:
    year, month, day = map(int, text.split("-"))
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(token: Token) -> int | None:
    plain = token.kind == "number" and re.fullmatch(r"\d{4}", token.text)
    return int(token.text) if plain and 1000 <= int(token.text) <= 2999 else None


def _month(tokens: list[Token], at: int, lead: int) -> Span | None:
    """`March 2024`, `March of 2024`, `March 5, 2024`, `April 1 2023`. A month without a year is not a period."""
    month, rest = MONTHS[tokens[at].low], tokens[at + 1 : at + 4]
    if rest and rest[0].low == "of":
        rest, lead = rest[1:], lead + 1
    if rest and (year := _year(rest[0])):
        start, end = _first(year * 12 + month - 1), _first(year * 12 + month)
        return Span(start, end, lead + 2)
    number = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", rest[0].low) if rest else None
    if number:
        comma = 1 if len(rest) > 1 and rest[1].text == "," else 0
        year = _year(rest[1 + comma]) if len(rest) > 1 + comma else None
        day = _day(f"{year}-{month}-{number.group(1)}") if year else None
        return Span(day, day + timedelta(days=1), lead + 3 + comma) if day else None
    return None


def _day_first(lows: list[str]) -> tuple[date, int] | None:
    """`1 March 2024`, `15th of March 2024`, and the tokens it took."""
    of = 1 if lows[1:2] == ["of"] else 0
    month = MONTHS.get(lows[1 + of]) if len(lows) > 2 + of else None
    year = lows[2 + of] if month else ""
    number = re.match(r"\d+", lows[0])
    day = _day(f"{year}-{month}-{number.group()}") if number and re.fullmatch(r"[12]\d{3}", year) else None
    return (day, 3 + of) if day else None


def read_opening(tokens: list[Token], at: int) -> Span | None:
    """`January` of `January to March 2024`: a month whose year stands with the one that ends the period."""
    lows = [token.low for token in tokens[at : at + 8]]
    if (first := _day_without_year(lows)) is not None:
        return first
    lows = lows[:3]
    if len(lows) < 3 or lows[0] not in MONTHS or lows[1] not in ("to", "and", "until", "through"):
        return None
    last = _month(tokens, at + 2, 0) if lows[2] in MONTHS else None
    if last is None or MONTHS[lows[0]] >= last.start.month:
        return None
    months = last.start.year * 12 + MONTHS[lows[0]] - 1
    return Span(_first(months), _first(months + 1), 1)


def _day_without_year(lows: list[str]) -> Span | None:
    """`1 March` of `1 March to 15 March 2024`, `March 1` of `March 1 to March 15, 2024`."""
    for month, number in ((1, 0), (0, 1)):
        if len(lows) < 6 or lows[month] not in MONTHS or not ORDINAL.fullmatch(lows[number]):
            continue
        year = next((low for low in lows[5:7] if re.fullmatch(r"[12]\d{3}", low)), None)
        digits = re.match(r"\d+", lows[number])
        day = _day(f"{year}-{MONTHS[lows[month]]}-{digits.group()}") if year and digits else None
        if lows[2] in ("to", "and", "until", "through") and day is not None:
            return Span(day, day + timedelta(days=1), 2)
    return None


def _month_of_numbers(tokens: list[Token]) -> tuple[date, date] | None:
    """`12/2023`: its first day and the one after its last."""
    year = _year(tokens[2]) if len(tokens) == 3 and tokens[1].text == "/" else None
    month = tokens[0].value
    if not year or not isinstance(month, int) or not 1 <= month <= 12:
        return None
    return _first(year * 12 + month - 1), _first(year * 12 + month)


def _quarter(tokens: list[Token], at: int, rest: list[str]) -> Span | None:
    """`Q1 2024`, `first quarter of 2024`, `second half of 2024`, `H2 2024`."""
    size = 3
    if re.fullmatch(r"q[1-4]|h[12]", rest[0]):
        number, used, size = int(rest[0][1]), 1, 6 if rest[0][0] == "h" else 3
    elif rest[0] in ORDINALS and len(rest) > 1 and rest[1] in ("quarter", "half"):
        number, used = ORDINALS[rest[0]], 2
        if rest[1] == "half":
            number, size = 2 if rest[0] == "last" else number, 6
    else:
        return None
    if len(rest) > used and rest[used] in ("of", "in"):
        used += 1
    year = _year(tokens[at + used]) if at + used < len(tokens) else None
    if not year or number * size > 12:
        return None
    months = year * 12 + (number - 1) * size
    return Span(_first(months), _first(months + size), used + 1)


def find_unit(word: str) -> str | None:
    return UNITS.get(word)


def day_literal(day: str, column: Column, dialect: str) -> exp.Expr:
    """An ISO date to compare with `column`: plain text in SQLite, which keeps dates as text."""
    literal = exp.Literal.string(day)
    return literal if dialect == "sqlite" else exp.cast(literal, "date")


def cut(column: exp.Expr, to: str, dialect: str) -> exp.Expr:
    """`column` cut to its year, quarter, month, week (from Monday) or day."""
    if dialect == "sqlite":
        return _cut_sqlite(column, to)
    if to == "weekday":
        if dialect in ("mysql", "spark"):
            return exp.Sub(
                this=exp.Anonymous(this="DAYOFWEEK", expressions=[column]), expression=exp.Literal.number(1)
            )
        if dialect == "duckdb":
            return exp.Anonymous(this="DAYOFWEEK", expressions=[column])
        return exp.Extract(this=exp.var("DOW"), expression=column)
    if to in ("year", "hour"):
        return exp.Extract(this=exp.var(to.upper()), expression=column)
    if to == "day":
        return exp.cast(column, "date")
    return exp.cast(exp.TimestampTrunc(this=column, unit=exp.var(to.upper())), "date")


SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


def subtract(start: exp.Expr, end: exp.Expr, unit: str, dialect: str) -> exp.Expr:
    """The time from `start` to `end` in minutes, hours, days or weeks, with fractions of the unit."""
    if dialect == "sqlite" and unit == "days":
        days = [exp.Anonymous(this="JULIANDAY", expressions=[day]) for day in (end, start)]
        return exp.paren(exp.Sub(this=days[0], expression=days[1]))
    if dialect == "sqlite":
        moments = [
            exp.Anonymous(this="STRFTIME", expressions=[exp.Literal.string("%s"), day]) for day in (end, start)
        ]
        span: exp.Expr = exp.paren(exp.Sub(this=moments[0], expression=moments[1]))
    else:
        difference = exp.TimestampDiff if dialect == "mysql" else exp.DateDiff
        ends = {"this": exp.cast(end, "timestamp"), "expression": exp.cast(start, "timestamp")}
        span = difference(**ends, unit=exp.var("SECOND"))
    return exp.Div(this=span, expression=exp.Literal.number(f"{SECONDS[unit]}.0"), typed=True)


def count_years(column: exp.Expr, today: date, dialect: str) -> exp.Expr:
    """The whole years from `column` to today."""
    year: exp.Expr
    day: exp.Expr
    if dialect == "sqlite":
        year, day = (
            exp.cast(exp.Anonymous(this="STRFTIME", expressions=[exp.Literal.string(pattern), column.copy()]), "int")
            for pattern in ("%Y", "%m%d")
        )
    else:
        year, month, last = (exp.Extract(this=exp.var(part), expression=column.copy()) for part in YEAR_PARTS)
        day = exp.Add(this=exp.Mul(this=month, expression=exp.Literal.number(100)), expression=last)
    this_day = exp.Literal.number(today.month * 100 + today.day)
    missing = exp.Case(
        ifs=[exp.If(this=exp.GT(this=day, expression=this_day), true=exp.Literal.number(1))],
        default=exp.Literal.number(0),
    )
    years = exp.Sub(this=exp.Literal.number(today.year), expression=year)
    return exp.paren(exp.Sub(this=years, expression=missing))


YEAR_PARTS = ("YEAR", "MONTH", "DAY")
PATTERNS = {"year": "%Y", "month": "%Y-%m", "weekday": "%w", "hour": "%H"}
"""Units as SQLite writes them."""


def _cut_sqlite(column: exp.Expr, to: str) -> exp.Expr:
    def strftime(pattern: str) -> exp.Expr:
        return exp.Anonymous(this="STRFTIME", expressions=[exp.Literal.string(pattern), column.copy()])

    if to in PATTERNS:
        return strftime(PATTERNS[to])
    if to == "day":
        return exp.Anonymous(this="DATE", expressions=[column])
    if to == "week":
        steps = [exp.Literal.string("weekday 0"), exp.Literal.string("-6 days")]
        return exp.Anonymous(this="DATE", expressions=[column, *steps])
    month = exp.Paren(this=exp.Add(this=exp.cast(strftime("%m"), "int"), expression=exp.Literal.number(2)))
    quarter = exp.Paren(this=exp.Div(this=month, expression=exp.Literal.number(3), typed=True))
    year = exp.DPipe(this=strftime("%Y"), expression=exp.Literal.string("-Q"))
    return exp.DPipe(this=year, expression=quarter)
