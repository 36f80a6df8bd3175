"""Chooses the part of a catalog for a prompt: all of it if it fits the budget, else the part near the question.

A whole schema serves a model better than a part of it, so figures on columns are left out first, then their values,
then tables.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from sqlchat.chat.catalog_index import CatalogIndex
from sqlchat.chat.dialect_notes import find_notes
from sqlchat.chat.rendering import estimate_tokens, render_rows
from sqlchat.chat.selection import MOST_MATCHES, Context, Selection
from sqlchat.connections.lru_cache import LruCache
from sqlchat.connections.samples import Samples
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import Profiles

MOST_INDEXES = 16
SAMPLES_SHARE = 0.2
"""Share of the budget that sample rows may take in addition to it, if a model may see rows."""

NOTHING = Profiles()
NO_SAMPLES: Samples = MappingProxyType({})


class SchemaLinker:
    """Keeps the indexes of the catalogs used last. Safe to use from several threads."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        """Tokens that a catalog may take in a prompt."""
        self._indexes = LruCache[CatalogIndex](MOST_INDEXES)
        self._lock = threading.Lock()

    def choose_context(
        self,
        catalog: Catalog,
        question: str,
        profiles: Profiles = NOTHING,
        samples: Samples = NO_SAMPLES,
        related: Sequence[str] = (),
    ) -> Context:
        """Return the part of the catalog for `question`; `profiles` and `samples` hold only data that may be shown.

        `related` is SQL of verified examples, of terms and of earlier questions. Its tables come first.
        """
        index = self._find_index(catalog, profiles)
        matches = index.things.tell_apart(index.value_index.find_matches(question), question)
        if index.full_size <= self._budget:
            context = Context(catalog, index.remarks, True, matches=matches[:MOST_MATCHES])
        else:
            context = Selection(index, question, matches, self._budget, related).choose(catalog)
        return replace(context, samples=self._choose_samples(context, samples))

    def prepare(self, catalog: Catalog, profiles: Profiles) -> None:
        """Build the index for `choose_context`, so that the first question does not wait for it."""
        index = self._find_index(catalog, profiles)
        if index.full_size > self._budget:
            _ = index.ranking, index.brief_sizes

    def _choose_samples(self, context: Context, samples: Samples) -> Samples:
        """Return the sample rows of tables that are shown with types, up to their share of the budget."""
        room, fitting, catalog = self._budget * SAMPLES_SHARE, {}, context.catalog
        for table in catalog.tables:
            path = (table.schema, table.name)
            rows = samples.get(path)
            if not rows or path in context.brief:
                continue
            room -= estimate_tokens(render_rows(table, rows, catalog, find_notes(catalog.dialect)))
            if room < 0:
                break
            fitting[path] = rows
        return fitting

    def _find_index(self, catalog: Catalog, profiles: Profiles) -> CatalogIndex:
        # a catalog that was read again is another object with the same version, and keeps its index
        key = (catalog.version or id(catalog), hash(profiles))
        with self._lock:
            index = self._indexes.get(key)
            if index is None or not index.is_made_of(catalog, profiles):
                index = CatalogIndex(catalog, profiles)
                self._indexes.put(key, index)
        return index.ensure_built()  # takes a second for thousands of tables: not under the lock
