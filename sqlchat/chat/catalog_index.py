"""Keeps sizes, values and the table ranking of one catalog for all questions on it."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from sqlchat.chat.dialect_notes import find_notes
from sqlchat.chat.join_graph import is_like_a_key
from sqlchat.chat.named_things import NamedThings
from sqlchat.chat.rendering import (
    CHARACTERS_A_TOKEN,
    Remarks,
    describe_facts,
    describe_values,
    estimate_tokens,
    join_remarks,
    render_brief_column,
    render_brief_table,
    render_column,
    render_table,
)
from sqlchat.chat.value_linking import ValueIndex
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.profiles import Path, Profiles

if TYPE_CHECKING:
    from sqlchat.chat.ranking import TableRanking

LEAST = 40
"""Tokens of the least room in which a table is narrowed."""


class CatalogIndex:
    """Sizes in tokens, values and tables of one catalog. Call `ensure_built` before anything else."""

    def __init__(self, catalog: Catalog, profiles: Profiles) -> None:
        self.catalog, self.profiles = catalog, profiles
        self._is_built = False
        self._ranking: TableRanking | None = None
        self._lock = threading.Lock()

    def ensure_built(self) -> CatalogIndex:
        """Return this index once it is built. The first caller builds it while the others wait."""
        with self._lock:
            if not self._is_built:
                self._build(self.catalog, self.profiles)
                self._is_built = True
        return self

    def _build(self, catalog: Catalog, profiles: Profiles) -> None:
        self.value_index = ValueIndex(profiles.texts, profiles.partial)
        self.things = NamedThings(catalog)
        self._notes = find_notes(catalog.dialect)
        self.sizes = [self.measure(table) for table in catalog.tables]
        self.bare_size, self.smallest = sum(self.sizes), min((LEAST, *self.sizes))
        self.values, self.facts = collect_remarks(catalog, profiles)
        self.values_size = self.bare_size + sum(map(measure_remark, self.values.values()))
        self.full_size = self.values_size + sum(map(measure_remark, self.facts.values()))
        self.remarks = merge_remarks(self.values, self.facts)
        """Values and facts of all columns, shown if they fit."""

    def is_made_of(self, catalog: Catalog, profiles: Profiles) -> bool:
        """Was the index made of the same content?"""
        same = catalog is self.catalog or (bool(catalog.version) and catalog.version == self.catalog.version)
        return same and (profiles is self.profiles or profiles == self.profiles)

    @property
    def ranking(self) -> TableRanking:
        """Rank tables. It is built at its first use, as only a catalog that does not fit needs it."""
        with self._lock:
            if self._ranking is None:
                from sqlchat.chat.ranking import TableRanking

                self._ranking = TableRanking(self.catalog)
            return self._ranking

    def measure(self, table: Table) -> int:
        """Return the tokens of a table without values."""
        return estimate_tokens(render_table(table, self.catalog, self._notes, {}))

    def measure_column(self, column: Column, table: Table) -> float:
        """Return the tokens of a column without values, not rounded."""
        return (len(render_column(column, table, self.catalog, self._notes, {})) + 1) / CHARACTERS_A_TOKEN

    @cached_property
    def brief_sizes(self) -> list[int]:
        """Count the tokens of each table in one line."""
        return [self.measure_brief(table) for table in self.catalog.tables]

    def measure_brief(self, table: Table) -> int:
        """Return the tokens of a table in one line."""
        return estimate_tokens(render_brief_table(table, self.catalog, self._notes))

    def measure_brief_column(self, column: Column, table: Table) -> float:
        """Return the tokens of a column in such a line, not rounded."""
        key = next((key for key in table.foreign_keys if key.columns == (column.name,)), None)
        return (len(render_brief_column(column, key, self.catalog, self._notes)) + 1) / CHARACTERS_A_TOKEN


def merge_remarks(values: Remarks, facts: Remarks) -> dict[Path, str]:
    """Return one remark for each column of `values` and `facts`."""
    return {path: join_remarks(values.get(path, ""), facts.get(path, "")) for path in (*values, *facts)}


def measure_remark(text: str) -> int:
    """Return the tokens of `text` as a remark."""
    return int((len(text) + 4) / CHARACTERS_A_TOKEN) + 1


def collect_remarks(catalog: Catalog, profiles: Profiles) -> tuple[dict[Path, str], dict[Path, str]]:
    """Return the values of each column, and the other facts about it."""
    values: dict[Path, str] = {}
    facts: dict[Path, str] = {}
    for table in catalog.tables if profiles else ():
        keys = {column for key in table.foreign_keys for column in key.columns} | {*table.primary_key}
        for column in table.columns:
            path = (table.schema, table.name, column.name)
            if profile := profiles.get(path):
                key = column.name in keys or is_like_a_key(column, table)
                values[path], facts[path] = describe_values(profile), describe_facts(profile, key=key)
    return {path: text for path, text in values.items() if text}, {path: text for path, text in facts.items() if text}
