"""Picks the tables of a large catalog that a question may speak of, so that only they are indexed in full.

A table scores by the words of the question in its name, its columns' names and its values, each the more the fewer
tables have it. Tables that a picked one refers to come along, so that joins find their way.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlchat.language.thesaurus import MEANING
from sqlchat.language.tokens import name_words, singular, stem, tokenize
from sqlchat.sql.catalog import Catalog, Table

Values = Mapping[tuple[str, str, str], tuple[str, ...]]
MOST_TABLES = 150
"""Of a catalog that is indexed whole."""
PICKED = 40
NAME, COLUMN = 3.0, 1.0
"""What a word in a table's name counts, and in a column's name or a value."""


class Shortlist:
    """Over one catalog and its values; read-only once built."""

    def __init__(self, catalog: Catalog, values: Values):
        self._catalog, self._values = catalog, values
        self._places = {(table.schema, table.name): at for at, table in enumerate(catalog.tables)}
        self._weights: dict[str, dict[int, float]] = defaultdict(dict)
        for at, table in enumerate(catalog.tables):
            for column in table.columns:
                self._add(at, name_words(column.name), COLUMN)
            self._add(at, name_words(table.name), NAME)
        for (schema, name, _), texts in values.items():
            at = self._places.get((schema, name), -1)
            for text in texts if at >= 0 else ():
                self._add(at, text.lower().split(), COLUMN)

    def pick(self, question: str) -> tuple[Catalog, Values]:
        """The catalog of the tables that matter, with their values."""
        scores: dict[int, float] = defaultdict(float)
        for word in {token.low for token in tokenize(question) if token.kind in ("word", "text")}:
            for other in (word, *MEANING.get(singular(word), ())):
                found = self._weights.get(stem(other), {})
                rarity = math.log(1 + len(self._places) / (1 + len(found)))
                for at, weight in found.items():
                    scores[at] += weight * rarity
        best = sorted(scores, key=lambda at: (-scores[at], at))[:PICKED]
        kept = set(best)
        for at in best[: PICKED // 2]:
            kept.update(self._referenced(self._catalog.tables[at]))
        tables = tuple(self._catalog.tables[at] for at in sorted(kept))
        names = {(table.schema, table.name) for table in tables}
        return replace(self._catalog, tables=tables), {
            path: texts for path, texts in self._values.items() if path[:2] in names
        }

    def _add(self, at: int, words: Iterable[str], weight: float) -> None:
        for word in words:
            self._weights[stem(word)][at] = weight

    def _referenced(self, table: Table) -> Iterable[int]:
        for key in table.foreign_keys:
            if (at := self._places.get((key.ref_schema, key.ref_table))) is not None:
                yield at
