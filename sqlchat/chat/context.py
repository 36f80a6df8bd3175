"""Chooses the part of a catalog for a prompt: all of it if it fits the budget, else the part near the question.

A whole schema serves a model better than a part of it, so figures on columns are left out first, then their values,
then tables.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from sqlchat.chat.catalog_index import CatalogIndex
from sqlchat.chat.dialect_notes import find_notes
from sqlchat.chat.rendering import estimate_tokens, render_rows
from sqlchat.chat.selection import MOST_MATCHES, Context, Selection
from sqlchat.connections.samples import Samples
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import Profiles

MOST_INDEXES = 16
SAMPLES_SHARE = 0.2
"""Of the budget, that rows of tables may take beside it, where a model may see rows."""

NOTHING = Profiles()
NO_SAMPLES: Samples = MappingProxyType({})


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
        """The part of the catalog for `question`; `profiles` and `samples` hold only data that may be shown.

        `related` is SQL that the question may build on: of verified examples, of terms, of the questions before it.
        """
        index = self._find_index(catalog, profiles)
        matches = index.things.tell_apart(index.value_index.find_matches(question), question)
        if index.full_size <= self._budget:
            found = Context(catalog, index.remarks, True, matches=matches[:MOST_MATCHES])
        else:
            found = Selection(index, question, matches, self._budget, related).choose(catalog)
        return replace(found, samples=self._choose_samples(found, samples)) if samples else found

    def prepare(self, catalog: Catalog, profiles: Profiles) -> None:
        """Build what `choose_context` needs, so that the first question does not wait for it."""
        index = self._find_index(catalog, profiles)
        if index.full_size > self._budget:
            _ = index.ranking, index.brief_sizes

    def _choose_samples(self, context: Context, samples: Samples) -> Samples:
        """The rows of tables shown with types, in the catalog's order, up to their share of the budget."""
        left, fitting, catalog = self._budget * SAMPLES_SHARE, {}, context.catalog
        for table in catalog.tables:
            path = (table.schema, table.name)
            rows = () if path in context.brief else samples.get(path, ())
            left -= estimate_tokens(render_rows(table, rows, catalog, find_notes(catalog.dialect))) if rows else 0
            if left < 0:
                break
            if rows:
                fitting[path] = rows
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
