"""Chooses the part of a large catalog that is near a question, within a budget of tokens.

The nearest tables are shown with types, comments and values, further ones in one line each, the rest not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlchat.chat.catalog_index import CatalogIndex, measure_remark, merge_remarks
from sqlchat.chat.rendering import Remarks, estimate_tokens
from sqlchat.chat.value_linking import Match
from sqlchat.connections.samples import Samples
from sqlchat.sql.catalog import WORD, Catalog, Column, Table
from sqlchat.sql.profiles import Path

if TYPE_CHECKING:
    from sqlchat.chat.ranking import Nearness

FULL_SHARE = 0.3
"""Share of the budget for the nearest tables with types and comments; further ones get one line each."""
STRUCTURE_SHARE = 0.85
"""Share of the budget for tables; the rest is for values."""
LARGEST_SHARE = 0.25
"""Share of the budget that one table may always take; a wider table loses columns."""
BRIEF_SHARE = 0.05
"""The same for a table in one line."""
A_RANK = 10
"""Tokens of a list of values that weigh as much as one rank: short lists hold kinds and states, the usual filters."""
NAMED = 10
"""Ranks that a list gains if the question names its column."""
MOST_MATCHES = 20
NOT_SHOWN = "further columns are not shown"
LEAST_BRIEF = 15
"""Tokens; in fewer, no table is worth a line."""


@dataclass(frozen=True)
class Context:
    """The part of a catalog that the prompt of one question shows."""

    catalog: Catalog
    remarks: Remarks
    whole: bool
    """Whether `catalog` and `remarks` are the same for every question."""
    omitted: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    samples: Samples = field(default_factory=dict)
    """Rows of the tables in `catalog`, if a model may see rows."""
    nearby: Remarks = field(default_factory=dict)
    """Values of the columns nearest to the question, if `remarks` has no room for them."""
    brief: frozenset[tuple[str, str]] = frozenset()
    """(schema, name) of the tables of `catalog` that are shown in one line, without types."""


class Selection:
    """Chooses the part of a catalog for one question, if the whole does not fit."""

    def __init__(
        self, index: CatalogIndex, question: str, matches: tuple[Match, ...], budget: int, related: Sequence[str]
    ) -> None:
        self._index, self._matches, self._budget = index, matches, budget
        self._near: Nearness = index.ranking.rank_tables(question, [match for match in matches if not match.thing])
        self._related = frozenset(WORD.findall("\n".join(related).lower()))
        first = {id(table) for table in index.catalog.mentioned_in("\n".join(related)).tables} if related else ()
        self._order = sorted(self._near.order, key=lambda place: id(index.catalog.tables[place]) not in first)
        """Places of the tables: first those that related SQL names, then the nearest."""
        self._matched = {match.path for match in matches if not match.thing}
        self._shown: dict[int, Table] = {}
        self._brief: set[int] = set()
        """Places of the shown tables that get one line."""
        self._left = budget

    def choose(self, catalog: Catalog) -> Context:
        """Return the chosen part of `catalog`, which has the same content as the index's own."""
        index = self._index
        if index.bare_size <= self._budget:
            self._shown = dict(enumerate(catalog.tables))
            stable = index.values if index.values_size <= self._budget else {}
            self._left = self._budget - (index.values_size if stable else index.bare_size)
            values = {} if stable else self._choose_remarks(index.values)
            nearby = merge_remarks(values, self._choose_remarks(index.facts))
            return Context(catalog, stable, True, matches=self._choose_matches(), nearby=nearby)
        structure = int(self._budget * STRUCTURE_SHARE)
        nearest = min(index.sizes[self._order[0]], structure)
        self._add_full_tables(max(int(self._budget * FULL_SHARE), nearest))
        self._add_brief_tables(structure - (self._budget - self._left))
        if len(self._shown) == len(catalog.tables):
            self._expand_brief_tables()
        remarks = merge_remarks(self._choose_remarks(index.values), self._choose_remarks(index.facts))
        self._add_brief_tables(self._left)
        tables = tuple(self._shown[place] for place in sorted(self._shown))
        omitted = tuple(table.name for place, table in enumerate(catalog.tables) if place not in self._shown)
        brief = frozenset((self._shown[place].schema, self._shown[place].name) for place in self._brief)
        return Context(replace(catalog, tables=tables), remarks, False, omitted, self._choose_matches(), brief=brief)

    def _add_full_tables(self, room: int) -> None:
        """Show tables in `room` tokens, the nearest first."""
        index, largest = self._index, self._budget * LARGEST_SHARE
        for place in self._order:
            if room < index.smallest:
                break
            size, table = index.sizes[place], index.catalog.tables[place]
            if size > largest and size > room / 2:
                table = self._narrow_table(place, min(max(largest, room / 2), room), index.measure_column)
                size = index.measure(table)
            if size > room:
                break  # no further table may be shown in more detail than a nearer one
            self._shown[place] = table
            self._left -= size
            room -= size

    def _add_brief_tables(self, room: int) -> None:
        """Show further tables in `room` tokens in one line each, the nearest first."""
        index, largest = self._index, self._budget * BRIEF_SHARE
        for place in self._order:
            if room < LEAST_BRIEF:
                break
            if place in self._shown:
                continue
            size, table = index.brief_sizes[place], index.catalog.tables[place]
            if size > min(largest, room):
                table = self._narrow_table(place, min(largest, room), index.measure_brief_column)
                size = index.measure_brief(table)
            if size <= room:
                self._shown[place] = table
                self._brief.add(place)
                self._left -= size
                room -= size

    def _expand_brief_tables(self) -> None:
        """Show types of tables in the room that is left, the nearest first."""
        for place in self._order:
            more = self._index.sizes[place] - self._index.brief_sizes[place]
            if place in self._brief and 0 <= more <= self._left * STRUCTURE_SHARE:
                self._shown[place] = self._index.catalog.tables[place]
                self._brief.discard(place)
                self._left -= more

    def _choose_remarks(self, remarks: Remarks) -> dict[Path, str]:
        """Return the remarks that fit the room left: first of columns with matched values, then of the nearest."""
        ranked = []
        for rank, place in enumerate(p for p in self._order if p in self._shown and p not in self._brief):
            table = self._shown[place]
            for column in table.columns:
                path = (table.schema, table.name, column.name)
                if text := remarks.get(path):
                    size = measure_remark(text)
                    is_named = self._index.ranking.score_column(place, column, self._near.terms)
                    distance = rank + size / A_RANK - (NAMED if is_named else 0)
                    ranked.append((path not in self._matched, distance, path, size))
        chosen = {}
        for *_, path, size in sorted(ranked):
            if size <= self._left:
                self._left -= size
                chosen[path] = remarks[path]
        return chosen

    def _choose_matches(self) -> tuple[Match, ...]:
        """Return the matches in the tables shown, those of the nearest tables first."""
        tables = ((place, self._shown[place]) for place in self._order if place in self._shown)
        ranks = {(table.schema, table.name): rank for rank, (_, table) in enumerate(tables)}
        shown = [match for match in self._matches if match.path[:2] in ranks]
        ranked = sorted(shown, key=lambda match: (bool(match.thing), ranks[match.path[:2]]))
        return tuple(ranked[:MOST_MATCHES])

    def _narrow_table(self, place: int, room: float, measure: Callable[[Column, Table], float]) -> Table:
        """Return the table in `room` tokens: its keys, then the columns that the question names, then others."""
        table, ranking = self._index.catalog.tables[place], self._index.ranking
        keys = {*table.primary_key, *ranking.joins.columns[place]}

        def rank_column(column: Column) -> tuple[bool, bool, float]:
            path = (table.schema, table.name, column.name)
            is_named = path in self._matched or column.name.lower() in self._related
            return (column.name not in keys, not is_named, -ranking.score_column(place, column, self._near.terms))

        names: set[str] = set()
        left = room - self._index.measure(replace(table, columns=())) - estimate_tokens(NOT_SHOWN)
        for column in sorted(table.columns, key=rank_column):
            left -= measure(column, table)
            if left < 0 and names:
                break
            names.add(column.name)
        comment = f"{table.comment} ({len(table.columns) - len(names)} {NOT_SHOWN})".strip()
        return replace(table, columns=tuple(c for c in table.columns if c.name in names), comment=comment)
