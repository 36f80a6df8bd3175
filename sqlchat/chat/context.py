"""Picks what of a catalog goes into a prompt: all of it where it fits the budget, else what is near the question.

Sending a whole schema beats pruning it wherever it fits. Where it does not, tables are ranked by BM25 (the library
bm25s) over their names, columns and comments, lifted where they hold a value that the question names, and their
foreign-key neighbours come along.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

from sqlchat.chat.dialect_notes import notes_on
from sqlchat.chat.literals import LiteralIndex, Match
from sqlchat.chat.rendering import Values, render_table, tokens_in
from sqlchat.chat.words import telling, words
from sqlchat.sql.catalog import Catalog, Table

if TYPE_CHECKING:
    import bm25s

MOST_INDEXES = 16
SEEDS = 12
"""Best tables whose foreign-key neighbours come before the next best."""
NAME_WEIGHT = 3
LARGEST_SHARE = 0.25
"""Of the budget, that one table may take; a wider one loses columns."""


@dataclass(frozen=True)
class Context:
    """What a model is shown for one question."""

    catalog: Catalog
    values: Values
    whole: bool
    """Whether that is the same for every question on this catalog."""
    omitted: tuple[str, ...] = ()
    """Names of the tables that were left out."""
    matches: tuple[Match, ...] = ()
    """Values that the question names."""


class SchemaLinker:
    """Keeps an index for each of the catalogs that were asked about last. Safe to use from several threads."""

    def __init__(self, budget: int) -> None:
        """`budget`: tokens that a catalog may take in a prompt."""
        self._budget = budget
        self._indexes: OrderedDict[tuple[str | int, int], CatalogIndex] = OrderedDict()
        self._lock = threading.Lock()

    def context(self, catalog: Catalog, question: str, values: Values | None = None) -> Context:
        """What to show for `question`; `values` are the low-cardinality texts that may be shown."""
        index = self._index(catalog, {} if values is None else values)
        matches = index.literals.matches(question)
        if index.full_size <= self._budget:
            return Context(catalog, index.values, True, matches=matches)
        if index.bare_size <= self._budget:
            return Context(catalog, {}, True, matches=matches)
        tables = index.nearest(question, matches, self._budget)
        kept = {(t.schema, t.name) for t in tables}
        omitted = tuple(t.name for t in catalog.tables if (t.schema, t.name) not in kept)
        return Context(replace(catalog, tables=tables), index.values, False, omitted, matches)

    def _index(self, catalog: Catalog, values: Values) -> CatalogIndex:
        # A catalog that was read again is another object with the same version; its index is good for longer.
        key = (catalog.version or id(catalog), hash(frozenset(values.items())))
        with self._lock:
            index = self._indexes.get(key)
        if index is None or not index.serves(catalog, values):
            index = CatalogIndex(catalog, values)  # takes a second for thousands of tables: not under the lock
        with self._lock:
            self._indexes[key] = index
            self._indexes.move_to_end(key)
            if len(self._indexes) > MOST_INDEXES:
                self._indexes.popitem(last=False)
        return index


class CatalogIndex:
    """Of one catalog and its values: sizes, values by their words, and tables by theirs."""

    def __init__(self, catalog: Catalog, values: Values) -> None:
        self.catalog, self.values = catalog, values
        self.literals = LiteralIndex(values)
        self._notes = notes_on(catalog.dialect)
        self._sizes = {id(table): self._size(table, values) for table in catalog.tables}
        self.full_size = sum(self._sizes.values())
        self.bare_size = sum(self._size(table, {}) for table in catalog.tables) if values else self.full_size
        self._bm25: bm25s.BM25 | None = None
        self._vocabulary: list[str] = []
        self._lock = threading.Lock()

    def serves(self, catalog: Catalog, values: Values) -> bool:
        """Whether it was made of the same content."""
        same = catalog is self.catalog or (bool(catalog.version) and catalog.version == self.catalog.version)
        return same and (values is self.values or values == self.values)

    def nearest(self, question: str, matches: tuple[Match, ...], budget: int) -> tuple[Table, ...]:
        """The tables nearest to `question` that fit `budget` tokens, in the catalog's order."""
        terms = self._terms(question)
        chosen: dict[int, Table] = {}
        room, left = budget * LARGEST_SHARE, budget
        for table in self._by_nearness(terms, matches):
            if id(table) in chosen:
                continue
            fitting = self._narrowed(table, terms, room)
            size = self._sizes[id(table)] if fitting is table else self._size(fitting, self.values)
            if size <= left:
                left -= size
                chosen[id(table)] = fitting
        return tuple(chosen[id(table)] for table in self.catalog.tables if id(table) in chosen)

    def _by_nearness(self, terms: list[str], matches: tuple[Match, ...]) -> Iterator[Table]:
        tables, scores = self.catalog.tables, self._scores(terms)
        named = {match.path[:2] for match in matches}
        top = max(scores, default=0.0) or 1.0
        for place, table in enumerate(tables):
            if (table.schema, table.name) in named:
                scores[place] += top / 2
        ranked = sorted(range(len(tables)), key=lambda place: (-scores[place], place))
        seeds = [tables[place] for place in ranked[:SEEDS] if scores[place] > 0]
        yield from seeds
        for seed in seeds:
            yield from self._neighbours(seed)
        yield from (tables[place] for place in ranked)

    def _neighbours(self, table: Table) -> Iterator[Table]:
        for key in table.foreign_keys:
            if found := self._by_name.get((key.ref_schema, key.ref_table)):
                yield found
        yield from self._referrers.get((table.schema, table.name), ())

    def _scores(self, terms: list[str]) -> list[float]:
        self._rank()
        assert self._bm25 is not None
        known = [term for term in terms if term in self._known]
        if not known:
            return [0.0] * len(self.catalog.tables)
        return [float(score) for score in self._bm25.get_scores(known)]

    def _terms(self, question: str) -> list[str]:
        """The question's stems, with the abbreviations and the spellings of them that the catalog uses."""
        self._rank()
        terms = []
        for term in telling(question):
            terms.append(term)
            terms.extend(term[:n] for n in range(3, len(term)) if term[:n] in self._known)
            if term not in self._known and len(term) >= 5:
                near = process.extractOne(term, self._vocabulary, scorer=fuzz.ratio, score_cutoff=80)
                terms.extend([near[0]] if near else [])
        return terms

    def _rank(self) -> None:
        """Index the tables by their words; only a catalog that does not fit needs it."""
        with self._lock:
            if self._bm25 is not None:
                return
            import bm25s

            texts = [self._words(table) for table in self.catalog.tables]
            self._known = {word for text in texts for word in text}
            self._vocabulary = sorted(word for word in self._known if len(word) >= 4)
            self._by_name = {(table.schema, table.name): table for table in self.catalog.tables}
            self._referrers: dict[tuple[str, str], list[Table]] = {}
            for table in self.catalog.tables:
                for key in table.foreign_keys:
                    self._referrers.setdefault((key.ref_schema, key.ref_table), []).append(table)
            ranking = bm25s.BM25()
            ranking.index(texts, show_progress=False)
            self._bm25 = ranking

    def _words(self, table: Table) -> list[str]:
        found = words(table.name) * NAME_WEIGHT + words(table.comment)
        for column in table.columns:
            found += words(column.name) + words(column.comment)
        return found or [table.name.lower()]

    def _narrowed(self, table: Table, terms: list[str], room: float) -> Table:
        """`table`, without the columns that matter least where it takes more than `room` tokens."""
        size = self._sizes[id(table)]
        if size <= room:
            return table
        keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
        wanted = set(terms)
        order = sorted(
            table.columns,
            key=lambda c: (c.name not in keys, not wanted & {*words(c.name), *words(c.comment)}),
        )
        kept = {c.name for c in order[: max(1, int(len(table.columns) * room / size))]}
        left_out = len(table.columns) - len(kept)
        comment = f"{table.comment} ({left_out} further columns are not shown)".strip()
        return replace(table, columns=tuple(c for c in table.columns if c.name in kept), comment=comment)

    def _size(self, table: Table, values: Mapping[tuple[str, str, str], tuple[str, ...]]) -> int:
        return tokens_in(render_table(table, self.catalog, self._notes, values))
