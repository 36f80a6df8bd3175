"""A query in plain words, for the answer's explanation. Called by the engine."""

from __future__ import annotations

from datetime import date, timedelta

from sqlchat.language.lexicon import MONTHS
from sqlchat.language.tokens import singular
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import (
    Agg,
    AnyOf,
    Benchmark,
    Compare,
    Condition,
    DatePart,
    Extreme,
    Flag,
    Null,
    Period,
    Pointed,
    Query,
    Related,
    Shared,
    Term,
    Versus,
)

MONTH_NAMES = [next(name for name in MONTHS if MONTHS[name] == number).capitalize() for number in range(1, 13)]
QUARTERS = ("first", "second", "third", "fourth")
FUNCTIONS = {"avg": "the average", "sum": "the total", "min": "the lowest", "max": "the highest"}
OPERATORS = {
    "=": "is", "!=": "is not", ">": "is more than", ">=": "is at least", "<": "is less than", "<=": "is at most",
    "contains": "contains", "starts": "starts with", "ends": "ends with",
    "not contains": "does not contain", "not starts": "does not start with", "not ends": "does not end with",
}  # fmt: skip
COUNTS = {"=": "exactly", "!=": "not", ">": "more than", ">=": "at least", "<": "fewer than", "<=": "at most"}


def explain(query: Query) -> str:
    """One sentence that begins with `Read as:`, and what each measure in it is."""
    notes = [
        f" {m.name[:1].upper()}{m.name[1:]} is {m.sql.replace(chr(34), '')}"
        + (f", as the comment on {m.table[1]} defines it." if m.defined else f" of {m.table[1]}.")
        for m in _measures(query)
    ]
    return f"Read as: {interpret(query)}." + "".join(notes)


def interpret(query: Query) -> str:
    """What is asked for, in words and without a stop."""
    parts = [_list([_term(term) for term in query.outputs])]
    if query.part is not None:
        parts[0] = f"the percentage of {parts[0]} where {_condition(query.part)}"
    if query.sides:
        parts[0] += " of " + " and of ".join(f"{words} ({_condition(condition)})" for words, condition in query.sides)
    if query.distinct:
        parts[0] = f"the different values of {parts[0]}"
    if query.subject and not any(isinstance(t, Agg) and t.of == query.subject for t in query.outputs):
        tables = {t.table for t in query.outputs if isinstance(t, Col)}
        if tables != {query.subject} or not query.groups:
            parts.append(f"of {query.subject[1]}")
    if query.groups:
        parts.append("for each " + _list([_group(group) for group in query.groups]))
    counted = [c for c in query.conditions if isinstance(c, Related) and _counts(c) and c.anchor == query.subject]
    if counted:
        parts.append(" and ".join(f"with {_tell_count(related)}" for related in counted))
    conditions = [_condition(condition) for condition in query.conditions if condition not in counted]
    conditions += [f"{_term(agg)} {OPERATORS[op]} {value}" for agg, op, value in query.having]
    if conditions:
        parts.append("where " + " and ".join(conditions))
    text = " ".join(parts)
    if query.order:
        order = _list([f"{_term(term)}, {'largest' if down else 'smallest'} first" for term, down in query.order])
        text += f", ordered by {order}"
    if query.limit is not None and query.within:
        text += f", the first {query.limit if query.limit > 1 else ''} of each ".replace("  ", " ")
        text += _list([_group(group) for group in query.within])
    elif query.limit is not None:
        text += ", the first row only" if query.limit == 1 else f", the first {query.limit} rows"
    return text


def _measures(query: Query) -> list[Measure]:
    terms = (*query.outputs, *(term for term, _ in query.order), *(agg for agg, _, _ in query.having))
    found = [term.of for term in terms if isinstance(term, Agg) and isinstance(term.of, Measure)]
    return list(dict.fromkeys(found))


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _name_col(col: Col) -> str:
    return col.words if isinstance(col, Computed) else f"{col.table[1]}.{col.name}"


def _term(term: Term) -> str:
    if isinstance(term, Col):
        return _name_col(term)
    if isinstance(term, DatePart):
        return f"the {term.unit} of {_name_col(term.col)}"
    if isinstance(term, Measure):
        return term.name
    if isinstance(term.of, tuple) and term.per is not None:
        return f"the average number of {term.of[1]} per {_group(term.per)}"
    if isinstance(term.of, tuple):
        return f"the number of {term.of[1]}"
    of = term.of.name if isinstance(term.of, Measure) else _name_col(term.of)
    if term.over is not None:
        return f"the total {of} divided by the total {_name_col(term.over)}"
    if term.per is not None:
        group = _group(term.per)
        return f"the average {of} per {group} (the total divided by the number of those that have any)"
    if term.function == "count":
        return f"the number of different {of}"
    return f"{FUNCTIONS[term.function]} {of}"


def _group(group: Col | DatePart | Key) -> str:
    if isinstance(group, DatePart):
        return f"{group.unit} of {_name_col(group.col)}"
    return singular(group[1]) if isinstance(group, tuple) else _term(group)


def _condition(condition: Condition) -> str:
    if isinstance(condition, AnyOf):
        return "(" + " or ".join(_condition(part) for part in condition.conditions) + ")"
    if isinstance(condition, Related):
        return _related(condition)
    if isinstance(condition, Shared):
        met = " and ".join(_condition(part) for part in condition.conditions)
        return f"{_name_col(condition.col)} has {'no' if condition.negated else 'another'} row where {met}"
    name = _name_col(condition.col)
    if isinstance(condition, Null):
        return f"{name} is {'' if condition.negated else 'not '}known"
    if isinstance(condition, Flag):
        return f"{name} is {'false' if condition.negated else 'true'}"
    if isinstance(condition, Benchmark):
        met = " and ".join(_condition(part) for part in condition.conditions)
        bench = {"avg": "average", "max": "highest", "min": "lowest"}[condition.function]
        return f"{name} {OPERATORS[condition.op]} its {bench}{f' where {met}' if met else ''}"
    if isinstance(condition, Pointed):
        return f"{name} is that of {_condition(condition.condition)}"
    if isinstance(condition, Versus):
        return f"{name} {OPERATORS[condition.op]} {_name_col(condition.other)}"
    if isinstance(condition, Extreme):
        return f"{name} is the {'highest' if condition.descending else 'lowest'}"
    if isinstance(condition, Period):
        return f"{name} is {_period(condition)}"
    return _compare(name, condition)


def _period(period: Period) -> str:
    """`in 2024`, `in March 2024`, `from January 2024 to June 2024`, `before 2024-03-05`."""
    start = date.fromisoformat(period.start) if period.start else None
    end = date.fromisoformat(period.end) if period.end else None
    if start is None or end is None:
        return f"from {_from(start)} on" if start else f"before {_from(end)}" if end else "known"
    unit = dates.unit_of(start, end)
    if unit == "quarter":
        return f"in the {QUARTERS[start.month // 3]} quarter of {start.year}"
    if unit is not None:
        return _from(start, unit) if unit == "day" else f"in {_from(start, unit)}"
    last = end - timedelta(days=1)
    if start.day != 1 or end.day != 1:
        return f"from {start} to {last}"
    whole = start.month == end.month == 1
    return f"from {_from(start, 'year' if whole else 'month')} to {_from(last, 'year' if whole else 'month')}"


def _from(day: date, unit: str = "") -> str:
    """The year, month or day; without `unit` the largest that begins on this day."""
    if unit == "year" or (not unit and day.month == day.day == 1):
        return str(day.year)
    if unit == "month" or (not unit and day.day == 1):
        return f"{MONTH_NAMES[day.month - 1]} {day.year}"
    return day.isoformat()


def _compare(name: str, condition: Compare) -> str:
    values = [repr(value) for value in condition.values]
    if condition.op == "between":
        return f"{name} is between {values[0]} and {values[1]}"
    if condition.op == "!=" and len(values) > 1:
        return f"{name} is neither {' nor '.join(values)}"
    return f"{name} {OPERATORS[condition.op]} {' or '.join(values)}"


def _related(related: Related) -> str:
    if _counts(related):
        verb = "is" if related.op and related.count == 1 else "are"
        return f"there {verb} {_tell_count(related)}"
    return _inner(related) or f"there are {related.table[1]}"


def _counts(related: Related) -> bool:
    return related.negated or bool(related.op)


def _tell_count(related: Related) -> str:
    """`exactly 1 order`, `no orders (orders.status is 'cancelled')`."""
    one = not related.negated and related.count == 1
    some = "no" if related.negated else f"{COUNTS.get(related.op, '')} {related.count}"
    inner = _inner(related)
    return f"{some} {singular(related.table[1]) if one else related.table[1]}" + (f" ({inner})" if inner else "")


def _inner(related: Related) -> str:
    return " and ".join(_condition(part) for part in related.conditions)
