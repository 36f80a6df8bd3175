"""Decides the type of a column after all its blocks were read, and warns of doubtful values.

A column has a type if all its values have it, except words for no value. If two readings give different values,
such as 3 April and 4 March, it stays text, and the warning names the option that decides.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from typing import TYPE_CHECKING

from sqlchat.errors import FileInvalidError
from sqlchat.files import readings
from sqlchat.files.inspection import MOST_STRAYS
from sqlchat.files.names import split_words
from sqlchat.files.notations import BLANKS, PLUS, Notation, list_currencies
from sqlchat.files.readings import Reading
from sqlchat.files.value_stats import NUMBER_KINDS, ValueStats, choose_number_type, find_other_numbers, widen

if TYPE_CHECKING:
    from sqlchat.files.columns import Column

WIDER = {
    *(("INTEGER", wide) for wide in ("BIGINT", "NUMERIC", "DOUBLE PRECISION")),
    *(("BIGINT", wide) for wide in ("NUMERIC", "DOUBLE PRECISION")),
    *(("NUMERIC", "DOUBLE PRECISION"), ("DOUBLE PRECISION", "NUMERIC"), ("DATE", "TIMESTAMP")),
}
"""Pairs of the type that the values have and a type that a caller may ask for instead."""
FLOAT_DIGITS = (28, 10)
"""Digits before and after the point if a caller asks for floating-point numbers as NUMERIC."""
SHOWN_WORDS, SHOWN_WORD = 5, 40
CODE = re.compile(r"[+-]?0\d+|\+?\d{10,}")
"""Digits that are a code and no number."""
MOMENT_WORDS = {
    *("date", "datum", "fecha", "jour", "day", "tag", "dia", "time", "timestamp", "ts", "dt", "epoch", "zeit"),
    *("created", "updated", "modified"),
}
VERSION_WORDS = {
    *("version", "versions", "ver", "release", "build", "revision", "section", "clause", "chapter", "kapitel"),
    "abschnitt",
}
"""Columns with these names hold 1.10 after 1.9, which are no decimals."""
DAYS = range(18_000, 80_000)
"""Day numbers of spreadsheets: 1949 to 2119."""
SECONDS = range(631_152_000, 4_102_444_800)
"""Since 1970: 1990 to 2100."""


@dataclass(frozen=True)
class Decision:
    """The type of a column and how its texts are read."""

    sql_type: str
    """Without precision."""
    fit: ValueStats
    reading: Reading | None = None
    """The way to read the texts; None if they stay text or the file gives their type."""
    warnings: tuple[str, ...] = ()

    def with_bounds(self, bounds: tuple[str, str] | None) -> Decision:
        """Return the same decision with new bounds, if the column stays text."""
        return replace(self, fit=ValueStats(*(bounds or (None, None)))) if self.sql_type == "TEXT" else self


def decide(column: Column) -> Decision:
    """Decide the type of a column. Raises FileInvalidError if its values do not have the caller's type."""
    decision = _decide_by_values(column)
    wanted = column.wanted
    if wanted is None:
        return decision
    if wanted == "TEXT":
        return (
            replace(_decide_on_text(column), fit=ValueStats(None, None)) if column.kinds else _decide_on_text(column)
        )
    if not column.values or column.values == column.missing.total():
        return Decision(wanted, ValueStats(None, None))
    fits = decision.sql_type == wanted or (decision.sql_type, wanted) in WIDER
    if fits and (wanted == "DOUBLE PRECISION" or not decision.fit.infinite):
        digits = FLOAT_DIGITS if decision.sql_type == "DOUBLE PRECISION" else decision.fit.digits
        return replace(decision, sql_type=wanted, fit=replace(decision.fit, digits=digits))
    raise FileInvalidError(
        f"The column {column.name!r} cannot be read as {column.options.types[column.name]}; its values are "
        f"{decision.sql_type}{_describe_strays(column)}, such as {str(column.example)[:SHOWN_WORD]!r}.",
        column=column.name,
    )


def _decide_on_text(column: Column, *warnings: str) -> Decision:
    return Decision("TEXT", ValueStats(*(column.bounds or (None, None))), None, warnings)


def _decide_by_values(column: Column) -> Decision:
    if column.kinds:
        return _decide_kinds(column)
    if not column.fits:
        return _decide_on_text(column, *_warn_of_text(column))
    best = readings.READINGS[column.readings[0]]
    fit, name = column.fits[best.name], column.name
    if best is readings.JSON or best.sql_type == "UUID":
        if column.missing:
            return _decide_on_text(column)
        return Decision(best.sql_type, fit if best is not readings.JSON else ValueStats(None, None), best)
    if fit.kind:
        return _decide_number(column, best, fit)
    if other := readings.find_rival(best.name, column.readings):
        orders = [order for reading in column.readings if (order := readings.READINGS[reading].order)]
        return _decide_on_text(
            column,
            f"{name!r} holds dates that may be read as {best.shown} or {other.shown}; it stays text. "
            f"Say which in `date_order`: {' or '.join(dict.fromkeys(orders))}.",
        )
    warnings = []
    if "offset" in fit.marks:
        warnings.append(f"{name!r} has times with an offset from UTC; they are in UTC here.")
    if best.format and "%y" in best.format:
        warnings.append(f"{name!r} has years of two digits; 69 to 99 are read as 1969 to 1999, others as 20xx.")
    return Decision(best.sql_type, fit, best, tuple(warnings))


def _decide_kinds(column: Column) -> Decision:
    """Decide the type of a column if the file gives the types of some or all values."""
    name, kinds = column.name, column.kinds
    no_stats = ValueStats(None, None)
    if column.texts > column.missing.total():
        words = ", ".join(sorted({*kinds, "TEXT"}))
        strays = f": {count_words(column.strays + column.missing)}" if column.strays else ""
        nulls = " To have those texts as nulls, name them in `nulls`." if column.strays else ""
        warning = f"{name!r} mixes values of several types ({words}{strays}); it is read as text.{nulls}"
        return Decision("TEXT", no_stats, None, (warning,))
    has_zone = any("zone" in fit.marks for fit in kinds.values())
    zone_warnings = (f"{name!r} has times with a zone; they are in UTC here.",) if has_zone else ()
    if set(kinds) <= set(NUMBER_KINDS):
        fit = reduce(widen, kinds.values())
        sql_type = choose_number_type(max(kinds, key=NUMBER_KINDS.index), fit.least, fit.most)
        warnings = (*_warn_of_moments(name, sql_type, fit), *_warn_of_infinity(column, fit))
        return Decision(sql_type, fit, None, warnings)
    if len(kinds) == 1:
        ((kind, fit),) = kinds.items()
        return Decision(kind, fit, None, zone_warnings)
    if set(kinds) == {"DATE", "TIMESTAMP"}:
        fit = widen(kinds["TIMESTAMP"], _to_midnights(kinds["DATE"]))
        return Decision("TIMESTAMP", fit, None, zone_warnings)
    wide = "JSON" if "JSON" in kinds else "TEXT"
    warning = f"{name!r} mixes values of several types ({', '.join(sorted(kinds))}); it is read as {wide}."
    return Decision(wide, no_stats, None, (warning,))


def _to_midnights(days: ValueStats) -> ValueStats:
    least, most = (bound and datetime.combine(bound, time()) for bound in (days.least, days.most))
    return ValueStats(least, most)


def _decide_number(column: Column, best: Reading, fit: ValueStats) -> Decision:
    """Decide on numbers, or on text if they are ambiguous or codes; warns of unusual notations."""
    others = [column.fits[name] for name in column.readings]
    name, marks = column.name, fit.marks
    warnings = []
    if PLUS in marks and fit.kind == "INTEGER" and fit.least >= 0:
        return _decide_on_text(column)  # such as +49, a code
    if fit.infinite and column.wanted is None and not ("fraction" in marks or fit.digits[1]):
        warning = (
            f"{name!r} holds whole numbers and infinite values ({fit.infinite:,}); it stays text: "
            f"`types` {{{name!r}: 'DOUBLE'}} makes numbers of all, and `nulls` may name those that are none."
        )
        has_numbers = fit.infinite < column.values - column.missing.total()
        return _decide_on_text(column, warning) if has_numbers else _decide_on_text(column)
    warnings += _warn_of_infinity(column, fit)
    if (other := find_other_numbers(fit, others)) is not None:
        both = f"{fit.most} or {other.most}"
        option = "say in `decimal` and `thousands` how numbers are written"
        if not (column.commas and best is readings.NUMBER):
            return _decide_on_text(
                column, f"{name!r} holds numbers that may be read in two ways ({both}); it stays text: {option}."
            )
        warnings.append(f"{name!r} is read with a decimal point ({fit.most}); if it is none, {option}.")
    elif len(signs := list_currencies(marks)) > 1:
        return _decide_on_text(
            column, f"{name!r} holds amounts of several currencies ({', '.join(signs)}); it stays text."
        )
    elif best is readings.NUMBER and fit.kind == "NUMERIC" and VERSION_WORDS.intersection(split_words(name)):
        if column.wanted is None:
            return _decide_on_text(
                column,
                f"{name!r} may hold versions or sections, of which 1.10 is not 1.1; it stays text: "
                "`types` makes numbers of them.",
            )
    elif {"%", "no %"} <= marks:
        return _decide_on_text(column, f"{name!r} holds numbers with and without a percent sign; it stays text.")
    elif isinstance(best.notation, Notation) and best.notation.group == " " and _is_like_codes(column, fit):
        return _decide_on_text(
            column,
            f"{name!r} may hold numbers with blanks as thousands marks, or codes; it stays text: "
            'set `thousands` to " " to have numbers.',
        )
    else:
        warnings += _warn_of_notation(name, best, marks)
    sql_type = choose_number_type(fit.kind, fit.least, fit.most)
    if column.wanted is None:
        warnings += _warn_of_moments(name, sql_type, fit)
    return Decision(sql_type, fit, best, tuple(warnings))


def _warn_of_notation(name: str, best: Reading, marks: frozenset[str]) -> list[str]:
    """Warn of signs, decimal commas and thousands marks in the numbers."""
    signs = list_currencies(marks)
    notation = [f"currency signs ({signs[0]})"] if signs else []
    if isinstance(best.notation, Notation):
        notation += ["a decimal comma"] if best.notation.decimal == "," and "fraction" in marks else []
        notation += [f"{best.notation.group!r} as thousands mark"] if "grouped" in marks else []
    notation += ["plus signs"] if PLUS in marks else []
    warnings = [f"{name!r} is read as numbers written with {' and '.join(notation)}."] if notation else []
    if "%" in marks:
        warnings.append(f"{name!r} is read as numbers of percent: 7% is 7.")
    return warnings


def _warn_of_infinity(column: Column, fit: ValueStats) -> list[str]:
    nulls = "; to have them as nulls, name them in `nulls`" if column.texts else ""
    warning = f"{column.name!r} has infinite values ({fit.infinite:,}), which make its sum and mean infinite{nulls}."
    return [warning] if fit.infinite else []


def _warn_of_moments(name: str, sql_type: str, fit: ValueStats) -> list[str]:
    """Warn of whole numbers that may be days or moments, in a column named like a date."""
    words = split_words(name)
    is_moment = bool(MOMENT_WORDS.intersection(words)) or words[-1:] in (["at"], ["on"])
    if sql_type not in {"INTEGER", "BIGINT"} or not is_moment:
        return []
    least, most = int(fit.least), int(fit.most)
    if _is_compact_day(least) and _is_compact_day(most):
        return [f"{name!r} holds numbers like days written {most}; `types` {{{name!r}: 'DATE'}} reads them as days."]
    if least in DAYS and most in DAYS:
        day = date(1899, 12, 30) + timedelta(days=most)
        return [f"{name!r} may hold day numbers of a spreadsheet ({most} is {day}); they stay numbers."]
    for unit, factor in (("seconds", 1), ("milliseconds", 1000), ("microseconds", 1_000_000)):
        if least // factor in SECONDS and most // factor in SECONDS:
            moment = datetime(1970, 1, 1) + timedelta(seconds=most // factor)
            return [f"{name!r} may hold {unit} since 1970 ({most} is {moment} UTC); they stay numbers."]
    return []


def _is_compact_day(number: int) -> bool:
    try:
        return 1900 <= number // 10_000 < 2100 and bool(date(number // 10_000, number // 100 % 100, number % 100))
    except ValueError:
        return False


def _is_like_codes(column: Column, fit: ValueStats) -> bool:
    """Are the numbers blanks and digits of one length, as telephone numbers are?"""
    if "fraction" in fit.marks or BLANKS not in fit.marks or column.options.thousands:
        return False
    return len(str(abs(int(fit.least)))) == len(str(abs(int(fit.most))))


def _warn_of_text(column: Column) -> list[str]:
    """Warn of texts that are nearly numbers or dates."""
    name, count = column.name, column.values - column.missing.total()
    if strays := _describe_strays(column):
        return [f"{name!r} stays text{strays}. To have those as nulls, name them in `nulls`."]
    if not count or column.wanted is not None:
        return []
    if column.alike["texts of numbers"] == count:
        return [f"{name!r} is text in the file, though all are like numbers; `types` reads them as such."]
    if column.strays is None or column.strays:
        return []
    if column.alike["dates"] == count:
        return [f"{name!r} holds texts like dates, but no one format reads them all; it stays text."]
    if column.alike["durations"] == count:
        return [
            f"{name!r} holds texts like 25:30, of hours and minutes or of minutes and seconds; it stays text: "
            f'`types` {{{name!r}: "INTERVAL"}} reads them as hours and minutes.'
        ]
    if column.alike["numbers"] == count:
        return [f"{name!r} holds numbers that are written in several ways; it stays text."]
    return []


def _describe_strays(column: Column) -> str:
    """Return `: 139 of 140 values are numbers; the other: '***' (1)`; empty if most values are none."""
    is_plain = set(column.alike) in ({"numbers"}, {"dates"}, {"durations"})
    if not column.strays or not is_plain or any(map(CODE.fullmatch, column.strays)):
        return ""
    ((kind, count),) = column.alike.items()
    strays, total = column.strays + column.missing, column.values
    if len(strays) > MOST_STRAYS or count * 2 < total:
        return ""
    others = "the other" if strays.total() == 1 else "the others"
    return f": {count:,} of {total:,} values are {kind}; {others}: {count_words(strays)}"


def count_words(texts: Counter[str]) -> str:
    """Return `'***' (3), '?' (1)`, the most frequent text first."""
    shown = [f"{text[:SHOWN_WORD]!r} ({count:,})" for text, count in texts.most_common(SHOWN_WORDS)]
    more = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
