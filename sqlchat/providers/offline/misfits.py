"""Refuses readings that take a column for what it does not tell: an amount for a year, a delay for a length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import stem, tokenize
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col
from sqlchat.providers.offline.naming import DELAYS
from sqlchat.providers.offline.query import Agg, AnyOf, Compare, Condition, Query
from sqlchat.providers.offline.reader import is_participle

YEARS = re.compile(r"(?:19|20)\d\d")
WE_SPEND = re.compile(
    r"(?i)\b(?:(?:do|did|have|had) we (?:ever |already )?|we (?:have |had )?)(?:pay|paid|spend|spent)\b"
)
RECEIVED = lexicon.words("charge fare fee revenue sale sales proceeds donation")
"""Words of columns with money that came in, whatever was paid out."""


def check_columns(linker: Linker, question: str, query: Query) -> None:
    """Raises QuestionError if a column of the query does not tell what the question asks for."""
    _check_years(linker, question, query)
    _check_delays(linker, question, query)
    _check_repeats(linker, question, query)


def list_parts(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """Yield the conditions that rows meet themselves, and the parts of alternatives."""
    for condition in conditions:
        if isinstance(condition, AnyOf):
            yield from list_parts(condition.conditions)
        else:
            yield condition


def _check_years(linker: Linker, question: str, query: Query) -> None:
    """Raises QuestionError if a year after `in` is taken for an amount: `a total in 2024`."""
    for part in list_parts(query.conditions):
        if (
            not isinstance(part, Compare)
            or part.op != "="
            or "year" in linker.column_words(part.col.table, part.col.name)
        ):
            continue
        years = [str(v) for v in part.values if isinstance(v, int) and YEARS.fullmatch(str(v))]
        if any(f" in {year}" in question.lower() for year in years):
            raise QuestionError(f"{part.col.name} is no year.", words=years)


def _check_delays(linker: Linker, question: str, query: Query) -> None:
    """Raises QuestionError if a delay is taken for how long something took: `crossings longer than 30 minutes`."""
    asked = {token.stem for token in tokenize(question)}
    figures = [term for term in query.outputs if isinstance(term, Agg)]
    terms = [term.of if isinstance(term, Agg) else term for term in (*figures, *(term for term, _ in query.order))]
    terms += [part.col for part in list_parts(query.conditions) if isinstance(part, Compare)]
    for col in terms if asked.isdisjoint(map(stem, DELAYS)) else ():
        if isinstance(col, Col) and not DELAYS.isdisjoint(linker.column_words(col.table, col.name)):
            raise QuestionError(f"{col.name} is not how long a row of {col.table[1]} took.", words=[])


def _check_repeats(linker: Linker, question: str, query: Query) -> None:
    """Raises QuestionError if only the value that is asked for is shown: `orders paid by card` are orders."""
    shown = query.outputs[0] if len(query.outputs) == 1 and not query.groups else None
    given = [c for c in query.conditions if isinstance(c, Compare) and c.col == shown and c.op == "="]
    if not isinstance(shown, Col) or [len(compare.values) for compare in given] != [1]:
        return
    verb = linker.column_words(shown.table, shown.name)[0]
    if is_participle(verb):
        words = [token.text for token in tokenize(question) if token.low == verb]
        raise QuestionError(f"All that is shown would be the {shown.name} that is asked for.", words=words)


def check_spending(linker: Linker, question: str, select: exp.Select) -> None:
    """Raises QuestionError if what `we pay` is told by money that came in: a fee is paid to us."""
    asked = {token.stem for token in tokenize(question)}
    for col in _list_columns(linker, select) if WE_SPEND.search(question) else ():
        received = RECEIVED.intersection(linker.column_words(col.table, col.name))
        if received and asked.isdisjoint(map(stem, received)):
            raise QuestionError(f"{col.table[1]}.{col.name} may be what came in, not what was paid.", words=[])


def _list_columns(linker: Linker, select: exp.Select) -> Iterator[Col]:
    """Yield the columns of tables that the SQL reads, of each table that has one of the name."""
    names = {column.name for column in select.find_all(exp.Column)}
    read = {table.name for table in select.find_all(exp.Table)}
    for key, table in linker.tables.items():
        if key[1] in read:
            yield from (Col(key, column.name) for column in table.columns if column.name in names)
