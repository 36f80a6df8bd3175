"""Refuses readings that take a column for what it does not tell: an amount for a year, a delay for a length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sqlglot import exp

from sqlchat.errors import QuestionError
from sqlchat.language import lexicon
from sqlchat.language.tokens import stem, tokenize
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.links import Col, Computed
from sqlchat.providers.offline.naming import DELAYS
from sqlchat.providers.offline.query import Agg, AnyOf, Compare, Condition, Null, Query, Related
from sqlchat.providers.offline.reader import is_participle

YEARS = re.compile(r"(?:19|20)\d\d")
WE_SPEND = re.compile(
    r"(?i)\b(?:(?:do|did|have|had) we (?:ever |already )?|we (?:have |had )?)(?:pay|paid|spend|spent)\b"
)
RECEIVED = lexicon.words("charge fare fee revenue sale sales proceeds donation")
"""Words of columns with money that came in, whatever was paid out."""


def check_columns(linker: Linker, joins: Joins, question: str, query: Query) -> None:
    """Raises QuestionError if a column of the query does not tell what the question asks for."""
    _check_years(linker, question, query)
    _check_delays(linker, question, query)
    _check_repeats(question, query)
    _check_amounts_of_related(linker, joins, question, query)
    _check_missing(linker, question, query)
    _check_best(linker, question, query)
    _check_averages(question, query)


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


def _check_repeats(question: str, query: Query) -> None:
    """Raises QuestionError if only what the question says is shown: `orders paid by card`, `who runs Bank`."""
    given = {c.col for c in query.conditions if isinstance(c, Compare) and c.op == "=" and len(c.values) == 1}
    shown = [term for term in query.outputs if isinstance(term, Col)]
    if shown and len(shown) == len(query.outputs) and not query.groups and given.issuperset(shown):
        words = [token.text for token in tokenize(question) if is_participle(token.low)]
        raise QuestionError(f"All that is shown would be the {shown[0].name} that is asked for.", words=words)


def _check_amounts_of_related(linker: Linker, joins: Joins, question: str, query: Query) -> None:
    """Raises QuestionError if one related row may be meant, or all: `films that sold more than 1000 tickets`."""
    shown = {term.table for term in query.outputs if isinstance(term, Col)}
    for part in (*_list_related(query), *query.conditions):
        if isinstance(part, Compare) and part.op in (">", ">=", "<", "<=") and not isinstance(part.col, Computed):
            if not any(joins.distance(table, part.col.table)[0] > 1 for table in shown):
                continue
            numbers = "|".join(re.escape(f"{value:g}") for value in part.values if isinstance(value, int | float))
            counted = {stem(word) for word in re.findall(rf"\b(?:{numbers}) (\w+)", question.lower())}
            if not counted.isdisjoint(map(stem, linker.column_words(part.col.table, part.col.name)[-1:])):
                text = f"It is not clear whether {part.col.name} of one row or of all of them are meant."
                raise QuestionError(text, words=[part.col.name], reason="ambiguous")


def _check_missing(linker: Linker, question: str, query: Query) -> None:
    """Raises QuestionError if rows that are not there are read as an empty column: `films that sold no tickets`."""
    denied = {stem(word) for word in re.findall(r"\bno (\w+)", question.lower())}
    for part in _list_related(query):
        if isinstance(part, Null) and not part.negated:
            words = {stem(word) for word in linker.column_words(part.col.table, part.col.name)}
            rows = {stem(word) for word in linker.table_words(part.col.table)}
            if words - denied and not denied.isdisjoint(words & rows):
                raise QuestionError(f"{part.col.name} may be missing, or the rows themselves.", words=sorted(denied))


def _check_best(linker: Linker, question: str, query: Query) -> None:
    """Raises QuestionError if the noun after `best` is taken for the amount by which they are ranked, too."""
    ranked = {stem(word) for word in re.findall(r"\b(?:best|worst) (\w+)", question.lower())}
    for term, _ in query.order:
        col = term.of if isinstance(term, Agg) else term
        if isinstance(col, Col) and not ranked.isdisjoint(map(stem, linker.column_words(col.table, col.name))):
            raise QuestionError("Say by what they are the best.", words=["best"], reason="ambiguous")


def _check_averages(question: str, query: Query) -> None:
    """Raises QuestionError if rows are averaged and not totals: `how many tickets per film on average`."""
    groups = [group for group in query.groups if isinstance(group, tuple | Col)]
    tables = {group if isinstance(group, tuple) else group.table for group in groups}
    averaged = [t.of for t in query.outputs if isinstance(t, Agg) and t.function == "avg" and isinstance(t.of, Col)]
    if re.search(r"(?i)\bhow many\b.*\baverage\b", question) and any(tables - {col.table} for col in averaged):
        text = f"Say whether {averaged[0].name} is averaged over rows, or totals over what they belong to."
        raise QuestionError(text, words=["average"], reason="ambiguous")


def _list_related(query: Query) -> Iterator[Condition]:
    """Yield the conditions that related rows must meet."""
    for part in list_parts(query.conditions):
        if isinstance(part, Related) and not part.negated and not part.op:
            yield from list_parts(part.conditions)


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
