"""Narrows a query to what is so today, if the question says `at the moment` or the like: to rows that have not ended.

Called by the engine, for whichever parser read the question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.providers.offline import dates
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed, Key
from sqlchat.providers.offline.query import Agg, AnyOf, Condition, Flag, Null, Period, Query, Related, Shared

NOW = re.compile(
    r"(?i)\b(currently|presently|at the moment|at present|(?:right |just )?now|still|these days|nowadays"
    r"|as of today)\b"
)
GONE = re.compile(r"(?i)(?<!\bare )(?<!\bis )(?<!\bwas )(?<!\bwere )\b(left|quit|resigned|departed)(?=\W*$)")
LEAVING = lexicon.words(
    "end ended ends left leave leaving term terminated termination exit departure departed dropped lost resigned "
    "retired quit discharged discharge returned closed finished cancelled canceled until expiry expires moved"
)
"""Words of the day from which on a row is no longer there."""
ACTIVE = lexicon.words("active current employed enabled")
OF_DAYS = lexicon.words("is date dt d day on at time ts")
STATES = lexicon.words("status state stat")


def narrow(question: str, query: Query, linker: Linker, joins: Joins, today: date) -> bool:
    """Add the condition that rows have not ended, if the question speaks of now; True if the query changed.

    Raises QuestionError if what is left unsaid changes the answer.
    """
    gone, now = GONE.search(question), NOW.search(question)
    said = [col for condition in query.conditions for col in list_columns(condition)]
    if not (gone or now) or any(_tells_state(linker, col) for col in said):
        return False
    tables = [*_list_subjects(query)]
    related = [c for c in query.conditions if isinstance(c, Related) and not (c.negated or c.op)]
    if gone is not None:
        raise QuestionError(f'"{gone.group(1)}" has no place here.', words=[gone.group(1)])
    assert now is not None
    for table, conditions in (*((t, query.conditions) for t in tables), *((r.table, r.conditions) for r in related)):
        if (condition := _make_condition(linker, table, today)) is not None:
            conditions.append(condition)
            col = next(list_columns(condition))
            if col in _list_measured(query):
                raise QuestionError(
                    f'"{now.group(1)}": rows that have not ended have no length.', words=[now.group(1)]
                )
            told = "being true" if isinstance(condition, Flag) else "not being over"
            query.assumptions[:] = [t for t in query.assumptions if t != f'"{now.group(1)}" adds nothing to this.']
            query.assumptions.append(f'"{now.group(1)}" is read as {table[1]}.{col.name} {told}.')
            return True
    for one in related:
        between = {edge.target for edge in joins.path(one.anchor, one.table) or []} - {one.table, one.anchor}
        if any(_find_ends(linker, table) for table in between):
            raise QuestionError(
                f'"{now.group(1)}": say which rows of {next(iter(between))[1]} are meant.', words=[now.group(1)]
            )
    if any(_tells_state(linker, Col(table, c.name)) for table in tables for c in linker.tables[table].columns):
        query.assumptions.append(f'"{now.group(1)}" changes nothing: rows in any state are meant.')
    return False


def list_columns(condition: Condition) -> Iterator[Col]:
    """The columns that a condition and its parts compare."""
    if isinstance(condition, AnyOf | Related | Shared):
        for part in condition.conditions:
            yield from list_columns(part)
    elif isinstance(condition.col, Computed):
        yield from (condition.col.left, condition.col.right)
    else:
        yield condition.col


def _list_measured(query: Query) -> Iterator[Col]:
    """The columns from which lengths that are shown or ranked by are computed."""
    for term in (*query.outputs, *(term for term, _ in query.order)):
        value = term.of if isinstance(term, Agg) else term
        if isinstance(value, Computed):
            yield from (value.left, value.right)


def _list_subjects(query: Query) -> Iterable[Key]:
    counted = [term.of for term in query.outputs if isinstance(term, Agg) and isinstance(term.of, tuple)]
    return dict.fromkeys([query.subject] if query.subject is not None else counted[:1])


def _make_condition(linker: Linker, table: Key, today: date) -> Condition | None:
    ends = _find_ends(linker, table)
    if len(ends) == 1:
        return AnyOf((Null(ends[0]), Period(ends[0], today.isoformat(), None)))
    active = [
        Col(table, c.name) for c in linker.tables[table].columns if _is_named(linker, Col(table, c.name), ACTIVE)
    ]
    return Flag(active[0]) if not ends and len(active) == 1 and linker.is_flag(active[0]) else None


def _find_ends(linker: Linker, table: Key) -> list[Col]:
    """The days on which rows of the table ended, as far as they have."""
    columns = [Col(table, c.name) for c in linker.tables[table].columns if dates.is_date(c) and c.nullable]
    return [col for col in columns if _is_named(linker, col, LEAVING)]


def _is_named(linker: Linker, col: Col, names: frozenset[str]) -> bool:
    """Whether the column's name is one of the names, but for words such as `is`, `date` and `on`: `left_on`."""
    words = [w for w in linker.column_words(col.table, col.name) if w not in OF_DAYS]
    return len(words) == 1 and words[0] in names


def _tells_state(linker: Linker, col: Col) -> bool:
    return _is_named(linker, col, LEAVING | ACTIVE | STATES)
