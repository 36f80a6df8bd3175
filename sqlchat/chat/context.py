"""Picks what of a catalog goes into a prompt: all of it where it fits the budget, else what is near the question.

Sending a whole schema beats pruning it wherever it fits; figures on columns are left out before their values are, and
values before tables. What is near is for `ranking` to say; the room goes to the structure of tables first, then to
the values of their columns, then to what else is known of them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
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
    render_rows,
    render_table,
)
from sqlchat.chat.value_linking import LiteralIndex, Match
from sqlchat.connections.samples import Samples
from sqlchat.sql.catalog import WORD, Catalog, Column, Table
from sqlchat.sql.profiles import Path, Profiles

if TYPE_CHECKING:
    from sqlchat.chat.ranking import Nearness, TableRanking

MOST_INDEXES = 16
FULL_SHARE = 0.3
"""Of the budget, that the nearest tables may take with types and comments; further ones get one line each."""
STRUCTURE_SHARE = 0.85
"""Of the budget, that tables may take before values have their turn."""
SAMPLES_SHARE = 0.2
"""Of the budget, that rows of tables may take beside it, where a model may see rows."""
LARGEST_SHARE = 0.25
"""Of the budget, that one table may always take; a wider one loses columns."""
A_RANK = 10
"""Tokens by which a list of values must be shorter to come before that of a table one rank nearer: short lists are
those of kinds and states, by which people filter."""
NAMED = 10
"""Ranks by which a list comes sooner where the question names its column."""
MOST_MATCHES = 20
BRIEF_SHARE = 0.05
"""The same of a table in one line."""
LEAST, LEAST_BRIEF = 40, 15
"""Tokens; in fewer, no table is worth narrowing, or showing in a line."""
NOT_SHOWN = "further columns are not shown"

NOTHING = Profiles()
NO_SAMPLES: Samples = MappingProxyType({})


@dataclass(frozen=True)
class Context:
    """What a model is shown for one question."""

    catalog: Catalog
    remarks: Remarks
    """What columns hold, to be shown with them."""
    whole: bool
    """Whether both are the same for every question on this catalog."""
    omitted: tuple[str, ...] = ()
    """Names of the tables that were left out."""
    matches: tuple[Match, ...] = ()
    """Values that the question names."""
    samples: Samples = field(default_factory=dict)
    """Rows of the tables in `catalog`, where a model may see rows."""
    nearby: Remarks = field(default_factory=dict)
    """What the columns nearest to the question hold, where `remarks` had to leave it out."""
    brief: frozenset[tuple[str, str]] = frozenset()
    """(schema, name) of the tables of `catalog` that are shown in one line, without types."""


class SchemaLinker:
    """Keeps an index for each of the catalogs that were asked about last. Safe to use from several threads."""

    def __init__(self, budget: int) -> None:
        """`budget`: tokens that a catalog may take in a prompt."""
        self._budget = budget
        self._indexes: OrderedDict[tuple[str | int, int], CatalogIndex] = OrderedDict()
        self._lock = threading.Lock()

    def choose_context(
        self,
        catalog: Catalog,
        question: str,
        profiles: Profiles = NOTHING,
        samples: Samples = NO_SAMPLES,
        related: Sequence[str] = (),
    ) -> Context:
        """What to show for `question`; `profiles` and `samples` are of what may be shown of the data.

        `related` is SQL that the question may build on: of verified examples, of terms, of the questions before it.
        """
        index = self._find_index(catalog, profiles)
        matches = index.things.tell_apart(index.literals.find_matches(question), question)
        if index.full_size <= self._budget:
            found = Context(catalog, index.remarks, True, matches=matches[:MOST_MATCHES])
        else:
            found = Selection(index, question, matches, self._budget, related).choose(catalog)
        return replace(found, samples=self._choose_samples(found.catalog, samples)) if samples else found

    def prepare(self, catalog: Catalog, profiles: Profiles) -> None:
        """Make what the first `context` of that content would make."""
        index = self._find_index(catalog, profiles)
        if index.full_size > self._budget:
            index.ranking  # noqa: B018

    def _choose_samples(self, catalog: Catalog, samples: Samples) -> Samples:
        """Those of the tables shown, in their order, as far as their share of the budget goes."""
        left, fitting = self._budget * SAMPLES_SHARE, {}
        for table in catalog.tables:
            rows = samples.get((table.schema, table.name), ())
            left -= estimate_tokens(render_rows(table, rows, catalog, find_notes(catalog.dialect))) if rows else 0
            if left < 0:
                break
            if rows:
                fitting[table.schema, table.name] = rows
        return fitting

    def _find_index(self, catalog: Catalog, profiles: Profiles) -> CatalogIndex:
        # A catalog that was read again is another object with the same version; its index is good for longer.
        key = (catalog.version or id(catalog), hash(profiles))
        fresh = CatalogIndex(catalog, profiles)
        with self._lock:
            index = self._indexes.setdefault(key, fresh)
        if not index.is_made_of(catalog, profiles):
            index = fresh
        with self._lock:
            self._indexes[key] = index
            self._indexes.move_to_end(key)
            if len(self._indexes) > MOST_INDEXES:
                self._indexes.popitem(last=False)
        return index.ensure_built()  # takes a second for thousands of tables: not under the lock


class CatalogIndex:
    """Of one catalog and its profiles: sizes in tokens, values by their words, and tables by theirs.

    It is to be `made` before it tells anything.
    """

    def __init__(self, catalog: Catalog, profiles: Profiles) -> None:
        self.catalog, self.profiles = catalog, profiles
        self._is_built = False
        self._ranking: TableRanking | None = None
        self._brief_sizes: dict[int, int] = {}
        self._lock = threading.Lock()

    def ensure_built(self) -> CatalogIndex:
        """Itself, once it is made: by the first who comes, while the others wait."""
        with self._lock:
            if not self._is_built:
                self._build(self.catalog, self.profiles)
                self._is_built = True
        return self

    def _build(self, catalog: Catalog, profiles: Profiles) -> None:
        self.literals = LiteralIndex(profiles.texts, profiles.partial)
        self.things = NamedThings(catalog)
        self._notes = find_notes(catalog.dialect)
        self.sizes = [self.measure(table) for table in catalog.tables]
        self.bare_size, self.smallest = sum(self.sizes), min((LEAST, *self.sizes))
        self.values, self.facts = _collect_remarks(catalog, profiles)
        self.values_size = self.bare_size + sum(map(measure_remark, self.values.values()))
        self.full_size = self.values_size + sum(map(measure_remark, self.facts.values()))
        self.remarks = merge_remarks(self.values, self.facts)
        """All that there is to say, as long as it fits."""

    def is_made_of(self, catalog: Catalog, profiles: Profiles) -> bool:
        """Whether it was made of the same content."""
        same = catalog is self.catalog or (bool(catalog.version) and catalog.version == self.catalog.version)
        return same and (profiles is self.profiles or profiles == self.profiles)

    @property
    def ranking(self) -> TableRanking:
        """Made when it is first asked for: only a catalog that does not fit needs it."""
        with self._lock:
            if self._ranking is None:
                from sqlchat.chat.ranking import TableRanking

                self._ranking = TableRanking(self.catalog)
            return self._ranking

    def measure(self, table: Table) -> int:
        """Without values."""
        return estimate_tokens(render_table(table, self.catalog, self._notes, {}))

    def measure_column(self, column: Column, table: Table) -> float:
        """Without values, and not rounded."""
        return (len(render_column(column, table, self.catalog, self._notes, {})) + 1) / CHARACTERS_A_TOKEN

    def measure_brief(self, table: Table) -> int:
        """Tokens of a table in one line."""
        return estimate_tokens(render_brief_table(table, self.catalog, self._notes))

    def measure_brief_place(self, place: int) -> int:
        """The same of one of the catalog's tables."""
        if place not in self._brief_sizes:
            self._brief_sizes[place] = self.measure_brief(self.catalog.tables[place])
        return self._brief_sizes[place]

    def measure_brief_column(self, column: Column, table: Table) -> float:
        """Tokens of a column in such a line."""
        key = next((key for key in table.foreign_keys if key.columns == (column.name,)), None)
        return (len(render_brief_column(column, key, self.catalog, self._notes)) + 1) / CHARACTERS_A_TOKEN


class Selection:
    """What is shown of a catalog that does not fit, for one question."""

    def __init__(
        self, index: CatalogIndex, question: str, matches: tuple[Match, ...], budget: int, related: Sequence[str]
    ) -> None:
        self._index, self._matches, self._budget = index, matches, budget
        self._near: Nearness = index.ranking.rank_tables(question, [match for match in matches if not match.thing])
        self._related = frozenset(WORD.findall("\n".join(related).lower()))
        first = {id(table) for table in index.catalog.mentioned_in("\n".join(related)).tables} if related else ()
        self._order = sorted(self._near.order, key=lambda place: id(index.catalog.tables[place]) not in first)
        """Places of tables, those that related SQL names first, then the nearest."""
        self._matched = {match.path for match in matches if not match.thing}
        self._shown: dict[int, Table] = {}
        self._brief: set[int] = set()
        """Those of them that are shown in one line."""
        self._left = budget

    def choose(self, catalog: Catalog) -> Context:
        """`catalog` is the index's own, or another of the same content."""
        index = self._index
        if index.bare_size <= self._budget:
            self._shown = dict(enumerate(catalog.tables))
            stable = index.values if index.values_size <= self._budget else {}
            self._left = self._budget - (index.values_size if stable else index.bare_size)
            nearby = merge_remarks(
                {} if stable else self._choose_remarks(index.values), self._choose_remarks(index.facts)
            )
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
                break  # further tables are not shown better than nearer ones
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
            size, table = index.measure_brief_place(place), index.catalog.tables[place]
            if size > min(largest, room):
                table = self._narrow_table(place, min(largest, room), index.measure_brief_column)
                size = index.measure_brief(table)
            if size <= room:
                self._shown[place] = table
                self._brief.add(place)
                self._left -= size
                room -= size

    def _expand_brief_tables(self) -> None:
        """Show tables with types where all are shown and there is room left, the nearest first."""
        for place in self._order:
            more = self._index.sizes[place] - self._index.measure_brief_place(place)
            if place in self._brief and 0 <= more <= self._left * STRUCTURE_SHARE:
                self._shown[place] = self._index.catalog.tables[place]
                self._brief.discard(place)
                self._left -= more

    def _choose_remarks(self, remarks: Remarks) -> dict[Path, str]:
        """Those that fit the room left: of columns with a value that the question names, then those near to it."""
        ranked = []
        for rank, place in enumerate(p for p in self._order if p in self._shown and p not in self._brief):
            table = self._shown[place]
            for column in table.columns:
                path = (table.schema, table.name, column.name)
                if text := remarks.get(path):
                    size = measure_remark(text)
                    named = self._index.ranking.score_column(place, column, self._near.terms)
                    distance = rank + size / A_RANK - (NAMED if named else 0)
                    ranked.append((path not in self._matched, distance, path, size))
        found = {}
        for *_, path, size in sorted(ranked):
            if size <= self._left:
                self._left -= size
                found[path] = remarks[path]
        return found

    def _choose_matches(self) -> tuple[Match, ...]:
        """The values that the question names in what is shown, those of the nearest tables first."""
        rank = {place: n for n, place in enumerate(self._order)}
        places = {(t.schema, t.name): rank[place] for place, t in self._shown.items()}
        shown = [match for match in self._matches if match.path[:2] in places]
        ranked = sorted(shown, key=lambda match: (bool(match.thing), places[match.path[:2]]))
        return tuple(ranked[:MOST_MATCHES])

    def _narrow_table(self, place: int, room: float, measure: Callable[[Column, Table], float]) -> Table:
        """The table in `room` tokens: its keys, the columns that the question names, and what else fits."""
        table, ranking = self._index.catalog.tables[place], self._index.ranking
        keys = {*table.primary_key, *ranking.joins.columns[place]}

        def importance(column: Column) -> tuple[bool, bool, float]:
            path = (table.schema, table.name, column.name)
            matched = path in self._matched or column.name.lower() in self._related
            return (column.name not in keys, not matched, -ranking.score_column(place, column, self._near.terms))

        kept: set[str] = set()
        left = room - self._index.measure(replace(table, columns=())) - estimate_tokens(NOT_SHOWN)
        for column in sorted(table.columns, key=importance):
            left -= measure(column, table)
            if left < 0 and kept:
                break
            kept.add(column.name)
        comment = f"{table.comment} ({len(table.columns) - len(kept)} {NOT_SHOWN})".strip()
        return replace(table, columns=tuple(c for c in table.columns if c.name in kept), comment=comment)


def merge_remarks(values: Remarks, facts: Remarks) -> dict[Path, str]:
    """A remark for each column that one of the two has one for."""
    return {path: join_remarks(values.get(path, ""), facts.get(path, "")) for path in (*values, *facts)}


def measure_remark(text: str) -> int:
    """Tokens."""
    return int((len(text) + 4) / CHARACTERS_A_TOKEN) + 1


def _collect_remarks(catalog: Catalog, profiles: Profiles) -> tuple[dict[Path, str], dict[Path, str]]:
    """Of each column its values, and what else is known of it."""
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
