"""Words a fault of a model's SQL, for the model's other try and for the person who asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sqlchat.chat.rendering import as_data
from sqlchat.errors import QueryError, QuestionError, SqlchatError
from sqlchat.sql.names import UnknownName

QUOTED = re.compile(r"""(["'])(.*?)\1""", re.DOTALL)
RUNNING = "while_running"
"""Fact of a fault that came of rows, not of planning."""
OWN_FACTS = frozenset({"sql", "fault", RUNNING})
AROUND = 40  # characters shown on each side of a position


def unknown(names: Sequence[UnknownName], nearest: Mapping[str, Sequence[str]]) -> QueryError:
    """The fault of naming what the catalog does not hold; `nearest` has the names that it may have meant."""
    parts = []
    for name in names:
        part = f"there is no {name.kind} {name.name!r}"
        if name.kind == "column" and name.tables:
            part += f" in {', '.join(name.tables)}"
        if near := nearest.get(name.name):
            part += f" (nearest: {', '.join(near)})"
        parts.append(part)
    detail = "; ".join(parts)
    return QueryError(f"{detail[:1].upper()}{detail[1:]}.", unknown_names=[name.name for name in names])


def for_model(fault: SqlchatError, sql: str, *, values: bool = True) -> str:
    """`fault` in lines for a prompt: what it says, its SQLSTATE, and the place in `sql`.

    Without `values`, what it quotes is left out unless it stands in `sql`: it may be from a row.
    """
    said = fault.detail if values else QUOTED.sub(lambda found: found[0] if found[2] in sql else "'…'", fault.detail)
    lines = [as_data(said, 1000)]
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


def for_person(fault: SqlchatError, sql: str, attempts: int) -> QuestionError:
    """What to answer when the last try failed too."""
    tries = "The SQL that was written for this question does" if attempts == 1 else "Two tries at SQL for this did"
    facts = {name: value for name, value in fault.facts.items() if name not in OWN_FACTS}
    return QuestionError(f"{tries} not work: {fault.detail}", sql=sql, fault=fault.code, **facts)
