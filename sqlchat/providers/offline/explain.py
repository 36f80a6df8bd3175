"""A query in plain words, for the answer's explanation. Called by the engine."""

from __future__ import annotations

from sqlchat.providers.offline.linker import Col, Key, Linker
from sqlchat.providers.offline.measures import Measure
from sqlchat.providers.offline.query import (
    Agg,
    AnyOf,
    Average,
    Compare,
    Condition,
    DatePart,
    Extreme,
    Null,
    Period,
    Query,
    Related,
    Term,
)

FUNCTIONS = {"avg": "the average", "sum": "the total", "min": "the lowest", "max": "the highest"}
OPERATORS = {
    "=": "is", "!=": "is not", ">": "is more than", ">=": "is at least", "<": "is less than", "<=": "is at most",
    "contains": "contains", "starts": "starts with", "ends": "ends with",
}  # fmt: skip
COUNTS = {"=": "exactly", "!=": "not", ">": "more than", ">=": "at least", "<": "fewer than", "<=": "at most"}


def explain(query: Query, linker: Linker) -> str:
    """One sentence that begins with `Read as:`, and what each measure in it is."""
    parts = [_list([_term(term) for term in query.outputs])]
    if query.distinct:
        parts[0] = f"the different values of {parts[0]}"
    if query.subject and not any(isinstance(t, Agg) and t.of == query.subject for t in query.outputs):
        tables = {t.table for t in query.outputs if isinstance(t, Col)}
        if tables != {query.subject} or not query.groups:
            parts.append(f"of {query.subject[1]}")
    if query.groups:
        parts.append("for each " + _list([_group(group) for group in query.groups]))
    conditions = [_condition(condition) for condition in query.conditions]
    conditions += [f"{_term(agg)} {OPERATORS[op]} {value}" for agg, op, value in query.having]
    if conditions:
        parts.append("where " + " and ".join(conditions))
    text = " ".join(parts)
    if query.order:
        order = _list([f"{_term(term)}, {'largest' if down else 'smallest'} first" for term, down in query.order])
        text += f", ordered by {order}"
    if query.limit is not None:
        text += ", the first row only" if query.limit == 1 else f", the first {query.limit} rows"
    notes = [
        f" {m.name[:1].upper()}{m.name[1:]} is {m.sql.replace(chr(34), '')}"
        + (f", as the comment on {m.table[1]} defines it." if m.defined else f" of {m.table[1]}.")
        for m in _measures(query)
    ]
    return f"Read as: {text}." + "".join(notes)


def _measures(query: Query) -> list[Measure]:
    terms = (*query.outputs, *(term for term, _ in query.order), *(agg for agg, _, _ in query.having))
    found = [term.of for term in terms if isinstance(term, Agg) and isinstance(term.of, Measure)]
    return list(dict.fromkeys(found))


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _col(col: Col) -> str:
    return f"{col.table[1]}.{col.name}"


def _term(term: Term) -> str:
    if isinstance(term, Col):
        return _col(term)
    if isinstance(term, DatePart):
        return f"the {term.unit} of {_col(term.col)}"
    if isinstance(term, Measure):
        return term.name
    if isinstance(term.of, tuple):
        return f"the number of {term.of[1]}"
    of = term.of.name if isinstance(term.of, Measure) else _col(term.of)
    if term.per is not None:
        table = term.per[1]
        return f"the average {of} per row of {table} (the total divided by the number of {table} that have any)"
    if term.function == "count":
        return f"the number of different {of}"
    return f"{FUNCTIONS[term.function]} {of}"


def _group(group: Col | DatePart | Key) -> str:
    if isinstance(group, DatePart):
        return f"{group.unit} of {_col(group.col)}"
    return f"row of {group[1]}" if isinstance(group, tuple) else _term(group)


def _condition(condition: Condition) -> str:
    if isinstance(condition, AnyOf):
        return "(" + " or ".join(_condition(part) for part in condition.conditions) + ")"
    if isinstance(condition, Related):
        return _related(condition)
    name = _col(condition.col)
    if isinstance(condition, Null):
        return f"{name} is {'' if condition.negated else 'not '}known"
    if isinstance(condition, Average):
        return f"{name} {OPERATORS[condition.op]} its average"
    if isinstance(condition, Extreme):
        return f"{name} is the {'highest' if condition.descending else 'lowest'}"
    if isinstance(condition, Period):
        bounds = [
            f"from {condition.start}" if condition.start else "",
            f"before {condition.end}" if condition.end else "",
        ]
        return f"{name} is " + " and ".join(bound for bound in bounds if bound)
    return _compare(name, condition)


def _compare(name: str, condition: Compare) -> str:
    values = [repr(value) for value in condition.values]
    if condition.op == "between":
        return f"{name} is between {values[0]} and {values[1]}"
    if condition.op == "!=" and len(values) > 1:
        return f"{name} is neither {' nor '.join(values)}"
    return f"{name} {OPERATORS[condition.op]} {' or '.join(values)}"


def _related(related: Related) -> str:
    some = "no" if related.negated else f"{COUNTS.get(related.op, '')} {related.count}"
    inner = " and ".join(_condition(part) for part in related.conditions)
    if not related.negated and not related.op:
        return inner or f"there are {related.table[1]}"
    return f"there are {some} {related.table[1]}" + (f" where {inner}" if inner else "")
