"""Describes a fault of a model's SQL, for the model's second try and for the asker."""

from __future__ import annotations

import re

from sqlchat.chat.rendering import as_data
from sqlchat.errors import QueryError, QuestionError, SqlchatError

PLAIN = re.compile(r"[^\W\d_]+[,;.:!]?")
NAME = re.compile(r"(\w+(?:\.\w+)*)[,;.:!]?")
NAMES_IN_SQL = re.compile(r"\b[^\W\d]\w*")
PIVOT = re.compile(r"pivot", re.IGNORECASE)
"""DuckDB reads the values of a PIVOT while it plans, and makes columns of them."""
OF_VALUES = frozenset({1292, 1365, 1366, 1690})
"""MySQL's error numbers that quote values: it reads a row while it plans, if a key selects one row."""
RUNNING = "while_running"
"""Key in a fault's facts: it came from reading rows, not from planning."""
OWN_FACTS = frozenset({"sql", "fault", RUNNING})
AROUND = 40  # characters shown on each side of a position


def tells_values(fault: SqlchatError, sql: str) -> bool:
    """May the words of `fault` hold values, because the database read rows to run or plan `sql`?"""
    planned_with_rows = fault.facts.get("errno") in OF_VALUES or (PIVOT.search(sql) and _is_of_database(fault))
    return bool(fault.facts.get(RUNNING) or planned_with_rows)


def describe_for_model(fault: SqlchatError, sql: str, *, values: bool = True) -> str:
    """Return lines for a prompt: the message of `fault`, its SQLSTATE, and its place in `sql`.

    Without `values`, the message ends before the first word that may be a value: databases quote values in many ways,
    some of them without quotes.
    """
    shown = fault.detail if values else _cut_before_values(fault.detail, sql)
    lines = [as_data(shown, 1000)]
    if sqlstate := fault.facts.get("sqlstate"):
        lines.append(f"SQLSTATE: {as_data(str(sqlstate), 10)}")
    position = fault.facts.get("position")
    if isinstance(position, int) and 1 <= position <= len(sql):
        here = position - 1
        before, after = sql[max(0, here - AROUND) : here], sql[here : here + AROUND]
        lines.append(f"At character {position}: {as_data(before + '>>>' + after)}")
    elif line := fault.facts.get("line"):
        lines.append(f"At line {line}, column {fault.facts.get('column')}")
    return "\n".join(lines)


def describe_for_person(fault: SqlchatError, sql: str, attempts: int) -> QuestionError:
    """Return the error for the caller after the last try failed."""
    tries = "The SQL that was written for this question does" if attempts == 1 else f"{attempts} tries at SQL did"
    facts = {name: value for name, value in fault.facts.items() if name not in OWN_FACTS}
    return QuestionError(f"{tries} not work: {fault.detail}", sql=sql, fault=fault.code, **facts)


def _is_of_database(fault: SqlchatError) -> bool:
    """Did the database raise `fault`, not this service?"""
    return isinstance(fault, QueryError) and "unknown_names" not in fault.facts


def _cut_before_values(message: str, sql: str) -> str:
    names = set(NAMES_IN_SQL.findall(sql))
    shown: list[str] = []
    for word in message.split():
        name = NAME.fullmatch(word)
        if not PLAIN.fullmatch(word) and not (name and names.issuperset(name[1].split("."))):
            return " ".join([*shown, "'…'"])
        shown.append(word)
    return " ".join(shown)
