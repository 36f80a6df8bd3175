"""Finds names in SQL that the database does not have, and the nearest names that it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from rapidfuzz import fuzz, process
from sqlglot import exp

from sqlchat.errors import SQLRefusedError, UnknownNameError
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.commands import read_statements
from sqlchat.sql.scopes import Rules
from sqlchat.sql.statements import StatementResolver

_CUTOFF = 60.0
"""Least similarity, 0 to 100, of two names that may be meant for each other."""

_SCORERS = ((fuzz.ratio, 1.0), (fuzz.token_set_ratio, 0.9))
"""Scorers with weights: of whole names, for typing errors; of shared words, for `customer_name` instead of `name`."""

T = TypeVar("T")

_PLAIN = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class UnknownName:
    kind: Literal["table", "column"]
    name: str
    """As in the SQL, with its qualifier, without quotes."""
    tables: tuple[str, ...]
    """For a column: the searched tables, as in the SQL."""


def find_unknown_names(sql: str, catalog: Catalog) -> tuple[UnknownName, ...]:
    """Return the tables and columns in `sql` (of `catalog.dialect`) that `catalog` lacks, in the order of the text.

    Only names that provably do not exist are returned: no column that may come from a source with unknown columns (a
    table function, PIVOT, an unknown table). Raises SQLSyntaxError and SQLRefusedError as `read_statements` does.
    """
    resolver = StatementResolver(catalog.dialect, catalog)
    try:
        for statement in read_statements(sql, catalog.dialect):
            resolver.findings.offset = statement.offset
            if statement.tree is not None:
                resolver.resolve_statement(statement.tree)
    except RecursionError as exc:
        raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.") from exc
    missing = sorted(resolver.findings.missing.items(), key=lambda item: item[1][0])
    return tuple(UnknownName(kind, name, tables) for (kind, name), (_, tables) in missing)


def explain_unknown(names: Sequence[UnknownName], catalog: Catalog) -> UnknownNameError | None:
    """Return the error for unknown `names`, with the nearest names in `catalog`; None without unknown names."""
    parts = []
    for name in names:
        part = f"there is no {name.kind} {name.name!r}"
        if name.kind == "column" and name.tables:
            part += f" in {', '.join(name.tables)}"
        if near := find_nearest(name, catalog):
            part += f" (nearest: {', '.join(near)})"
        parts.append(part)
    if not parts:
        return None
    detail = "; ".join(parts)
    return UnknownNameError(f"{detail[:1].upper()}{detail[1:]}.", unknown_names=[name.name for name in names])


def find_nearest(unknown: UnknownName, catalog: Catalog, limit: int = 3) -> list[str]:
    """Return the names in `catalog` that are most similar to an unknown one, best first, spelled for SQL.

    A column is `table.column`; those of the searched tables come first. The similarity is rapidfuzz's normalized
    indel similarity of the whole names, or of their shared words.
    """
    name = unknown.name.rpartition(".")[2]
    if unknown.kind == "table":
        tables = _find_best(name, ((table.name, table) for table in catalog.tables), limit)
        return [_write_table(table, catalog) for table in tables]
    searched_names = {table.rpartition(".")[2].lower() for table in unknown.tables}
    searched = [table for table in catalog.tables if table.name.lower() in searched_names]
    nearest = _find_best(name, _list_columns(searched), limit)
    if len(nearest) < limit:
        others = [table for table in catalog.tables if table.name.lower() not in searched_names]
        nearest += _find_best(name, _list_columns(others), limit - len(nearest))
    return [f"{_write_table(table, catalog)}.{spell_name(column, catalog.dialect)}" for table, column in nearest]


def _list_columns(tables: Iterable[Table]) -> Iterator[tuple[str, tuple[Table, str]]]:
    return ((column.name, (table, column.name)) for table in tables for column in table.columns)


def _find_best(name: str, candidates: Iterable[tuple[str, T]], limit: int) -> list[T]:
    # Many columns of a big schema share a name: compare each name once.
    by_name: dict[str, list[T]] = {}
    for candidate_name, candidate in candidates:
        by_name.setdefault(candidate_name, []).append(candidate)
    names = list(by_name)
    words, wanted = [_split_words(candidate_name) for candidate_name in names], _split_words(name)
    scores: dict[int, float] = {}
    for scorer, weight in _SCORERS:
        for _, score, index in process.extract(wanted, words, scorer=scorer, limit=limit * 4, score_cutoff=_CUTOFF):
            scores[index] = max(score * weight, scores.get(index, 0.0))
    ranked = sorted(scores, key=lambda index: (-scores[index], index))
    return [candidate for index in ranked for candidate in by_name[names[index]]][:limit]


def _split_words(name: str) -> str:
    """Return "customer id" for each of `customerID`, `customer_id` and `CUSTOMER ID`."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)).lower().strip()


def _write_table(table: Table, catalog: Catalog) -> str:
    name = spell_name(table.name, catalog.dialect)
    if table.schema and table.schema != catalog.default_schema:
        return f"{spell_name(table.schema, catalog.dialect)}.{name}"
    return name


def spell_name(name: str, dialect: str) -> str:
    """Return `name` as SQL must write it: in quotes if the dialect would change it without them."""
    rules = Rules.load(dialect)
    plain = _PLAIN.fullmatch(name) and rules.fold_name(name, quoted=False) == rules.fold_name(name)
    return name if plain else exp.to_identifier(name, quoted=True).sql(dialect)
