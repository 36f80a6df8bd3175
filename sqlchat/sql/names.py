"""Finds names in SQL that the database does not hold, before the database sees them, and the nearest ones it does."""

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
"""Similarity, 0 to 100, below which two names have nothing to do with each other."""

_SCORERS = ((fuzz.ratio, 1.0), (fuzz.token_set_ratio, 0.9))
"""Scorers and their weights: whole names for typing errors, shared words for `customer_name` instead of `name`."""

T = TypeVar("T")

_PLAIN = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class UnknownName:
    kind: Literal["table", "column"]
    name: str
    """As the SQL has it, with its qualifier, without quotes."""
    tables: tuple[str, ...]
    """For a column: the tables in which it was looked for, as the SQL has them."""


def find_unknown_names(sql: str, catalog: Catalog) -> tuple[UnknownName, ...]:
    """The tables and columns in `sql` (of `catalog.dialect`) that `catalog` does not have, in the order of the text.

    Only names that provably do not exist are returned, and no column that could come from a source with unknown
    columns (a table function, PIVOT, an unknown table). Raises SQLSyntaxError and SQLRefusedError as
    `read_statements` does.
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
    """The fault of naming what `catalog` does not hold, with the names that may have been meant; None without one."""
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
    """The names in `catalog` most like an unknown one, best first, spelled as SQL has to spell them.

    Tables by their name; columns as `table.column`, those of the tables they were looked for in before all others.
    Similarity is rapidfuzz's: the normalized indel similarity of the whole names, or of the words they share.
    """
    name = unknown.name.rpartition(".")[2]
    if unknown.kind == "table":
        return [
            _write_table(table, catalog)
            for table in _find_best(name, ((each.name, each) for each in catalog.tables), limit)
        ]
    looked_in = {table.rpartition(".")[2].lower() for table in unknown.tables}
    near = [table for table in catalog.tables if table.name.lower() in looked_in]
    nearest = _find_best(name, _list_columns(near), limit)
    if len(nearest) < limit:
        others = [table for table in catalog.tables if table.name.lower() not in looked_in]
        nearest += _find_best(name, _list_columns(others), limit - len(nearest))
    return [f"{_write_table(table, catalog)}.{spell_name(column, catalog.dialect)}" for table, column in nearest]


def _list_columns(tables: Iterable[Table]) -> Iterator[tuple[str, tuple[Table, str]]]:
    return ((column.name, (table, column.name)) for table in tables for column in table.columns)


def _find_best(name: str, named: Iterable[tuple[str, T]], limit: int) -> list[T]:
    # A big schema has few column names and many columns of each: compare every name once.
    bearers: dict[str, list[T]] = {}
    for each, bearer in named:
        bearers.setdefault(each, []).append(bearer)
    names = list(bearers)
    words, wanted = [_split_words(each) for each in names], _split_words(name)
    scores: dict[int, float] = {}
    for scorer, weight in _SCORERS:
        for _, score, index in process.extract(wanted, words, scorer=scorer, limit=limit * 4, score_cutoff=_CUTOFF):
            scores[index] = max(score * weight, scores.get(index, 0.0))
    ranked = sorted(scores, key=lambda index: (-scores[index], index))
    return [bearer for index in ranked for bearer in bearers[names[index]]][:limit]


def _split_words(name: str) -> str:
    """`customerID`, `customer_id` and `CUSTOMER ID` alike as "customer id"."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)).lower().strip()


def _write_table(table: Table, catalog: Catalog) -> str:
    name = spell_name(table.name, catalog.dialect)
    if table.schema and table.schema != catalog.default_schema:
        return f"{spell_name(table.schema, catalog.dialect)}.{name}"
    return name


def spell_name(name: str, dialect: str) -> str:
    """`name` as SQL has to write it: in quotes if the dialect would read it as another one without them."""
    rules = Rules.load(dialect)
    plain = _PLAIN.fullmatch(name) and rules.fold_name(name, quoted=False) == rules.fold_name(name)
    return name if plain else exp.to_identifier(name, quoted=True).sql(dialect)
