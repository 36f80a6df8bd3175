"""Finds the owner's notes, terms, references and verified examples for a question."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlchat.chat.examples import ExampleIndex, normalize_question
from sqlchat.chat.terms import TermIndex
from sqlchat.connections.lru_cache import LruCache
from sqlchat.errors import BusyError, DeadlineError, TooLargeError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.descriptions import Description, add_descriptions
from sqlchat.sql.fragments import hold_names
from sqlchat.sql.policies.hidden_names import HiddenNames
from sqlchat.sql.profiles import Profiles
from sqlchat.sql.references import add_references
from sqlchat.store.knowledge import BusinessContext, Example, KnowledgeStore, Reference, StoredKnowledge, Term
from sqlchat.workers import Workers

MOST_EXAMPLES = 4
"""Examples in a prompt."""
MOST_CHECKED = 24
"""Examples that are checked for a prompt, since some may be stale."""
MOST_CONNECTIONS = 50
"""Connections whose knowledge a process caches; the least recently used is dropped."""
MOST_CATALOGS = 4
"""Catalogs of one connection, as different callers and providers see it."""
CHECK_TIMEOUT = 5.0
"""Seconds for the names of some statements in a worker process."""


class CatalogAdditions:
    """References and descriptions that owners add to a catalog. Safe to use from several threads."""

    def __init__(self, references: Sequence[Reference] = (), descriptions: Sequence[Description] = ()) -> None:
        self._references, self._descriptions = references, descriptions
        self._extended: list[tuple[Catalog, int, Catalog]] = []
        self._lock = threading.Lock()

    def apply_to(self, catalog: Catalog, profiles: Profiles) -> Catalog:
        """Return `catalog` with the references as foreign keys and the descriptions as comments.

        Skips those whose tables or columns `catalog` lacks. Returns the same object for the same catalog and
        profiles, so that it can be a key of caches.
        """
        if not self._references and not self._descriptions:
            return catalog
        profiles_hash = hash(profiles)
        with self._lock:
            for source, source_hash, extended in self._extended:
                if source is catalog and source_hash == profiles_hash:
                    return extended
            pairs = ((reference.columns, reference.ref_columns) for reference in self._references)
            extended = add_descriptions(add_references(catalog, pairs, profiles), self._descriptions)
            self._extended = [(catalog, profiles_hash, extended), *self._extended[: MOST_CATALOGS - 1]]
        return extended


NO_ADDITIONS = CatalogAdditions()


@dataclass(frozen=True, slots=True)
class Recalled:
    """The knowledge that is relevant to one question; empty if there is none."""

    notes: str = ""
    """The notes on the connection, which are for every question."""
    terms: tuple[Term, ...] = ()
    """Terms that the question uses."""
    examples: tuple[Example, ...] = ()
    """The examples with the nearest questions, the nearest first, at most 4; `exact` is one of them."""
    exact: Example | None = None
    """The example that asks the same question: its SQL is the answer."""
    additions: CatalogAdditions = field(default=NO_ADDITIONS, compare=False)

    def leave_out(self, hidden: HiddenNames) -> Recalled:
        """Return the knowledge without terms and lines of notes that hold one of these names."""
        terms = tuple(
            term
            for term in self.terms
            if not hidden.are_in_sql(term.sql)
            and not hidden.are_in_text("\n".join((term.term, term.definition, *term.synonyms)))
        )
        lines = (line for line in self.notes.splitlines(keepends=True) if not hidden.are_in_text(line))
        return replace(self, notes="".join(lines), terms=terms)


NOTHING = Recalled()


class Knowledge:
    """Caches the knowledge of connections, for all threads of a process.

    A question costs one look-up in the store. The knowledge is read again only after it changed.
    """

    def __init__(self, store: KnowledgeStore, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self._indexes = LruCache[_KnowledgeIndex](MOST_CONNECTIONS)

    def recall(self, owner: str, connection_id: str, question: str, catalog: Catalog) -> Recalled:
        """Return the knowledge for `question`, without examples whose names `catalog` no longer holds.

        Raises ConnectionNotFoundError, StoreUnavailableError.
        """
        index = self._read_index(owner, connection_id)
        if index is None:
            return NOTHING
        same = index.examples.find_same(question)
        near = index.examples.find_nearest(question, MOST_CHECKED)
        if same is not None:
            near = [same, *(example for example in near if example is not same)]
        try:
            stale = self._find_stale(index, near, catalog)
        except (BusyError, DeadlineError, TooLargeError):  # an answer without examples is better than none
            stale = {example.id for example in near}
        fresh = [example for example in near if example.id not in stale]
        return Recalled(
            notes=index.notes,
            terms=index.terms.find_matching(question),
            examples=tuple(fresh[:MOST_EXAMPLES]),
            exact=same if same is not None and same.id not in stale else None,
            additions=index.additions,
        )

    def extend_catalog(self, owner: str, connection_id: str, catalog: Catalog, profiles: Profiles) -> Catalog:
        """Apply the connection's CatalogAdditions. Raises ConnectionNotFoundError, StoreUnavailableError."""
        index = self._read_index(owner, connection_id)
        return catalog if index is None else index.additions.apply_to(catalog, profiles)

    def read_context(self, owner: str, connection_id: str) -> BusinessContext:
        """Return the notes, terms and references of people. Raises ConnectionNotFoundError, StoreUnavailableError."""
        index = self._read_index(owner, connection_id)
        return BusinessContext() if index is None else index.knowledge.context

    def list_examples(self, owner: str, connection_id: str, catalog: Catalog) -> list[tuple[Example, bool]]:
        """Return pairs of an example, the newest first, and whether it is stale: `catalog` lacks its names.

        Raises ConnectionNotFoundError, StoreUnavailableError, BusyError, DeadlineError and TooLargeError.
        """
        index = self._read_index(owner, connection_id)
        if index is None:
            return []
        stale = self._find_stale(index, index.knowledge.examples, catalog)
        return [(example, example.id in stale) for example in index.knowledge.examples]

    def _read_index(self, owner: str, connection_id: str) -> _KnowledgeIndex | None:
        stamp = self._store.stamp(owner, connection_id)
        if not stamp.version:
            return None
        index = self._indexes.get(stamp.connection)
        if index is None or index.knowledge.stamp != stamp:
            index = _KnowledgeIndex(self._store.read(owner, connection_id))
            self._indexes.put(index.knowledge.stamp.connection, index)
        return index

    def _find_stale(self, index: _KnowledgeIndex, examples: Iterable[Example], catalog: Catalog) -> set[UUID]:
        """Return the ids of the examples whose names `catalog` does not hold; those of its own version are fresh."""
        verdicts = index.get_verdicts(catalog.version)
        older = [example for example in examples if example.catalog_version != catalog.version]
        unchecked = [example for example in older if example.id not in verdicts]
        if unchecked:
            statements = [example.sql for example in unchecked]
            part = catalog.mentioned_in("\n".join(statements))
            hold = self._workers.call(hold_names, statements, part, deadline=CHECK_TIMEOUT)
            verdicts.update(zip((example.id for example in unchecked), hold, strict=True))
        return {example.id for example in older if not verdicts[example.id]}


class _KnowledgeIndex:
    """The knowledge of one connection, indexed for look-ups."""

    def __init__(self, knowledge: StoredKnowledge) -> None:
        self.knowledge = knowledge
        context, semantic = knowledge.context, knowledge.semantic
        self.notes = "\n".join(filter(None, (context.notes, semantic.notes)))
        self.additions = CatalogAdditions((*context.references, *semantic.references), semantic.descriptions)
        names = {normalize_question(term.term) for term in context.terms}
        terms = (*context.terms, *(term for term in semantic.terms if normalize_question(term.term) not in names))
        self.terms, self.examples = TermIndex(terms), ExampleIndex(knowledge.examples)
        self._verdicts: tuple[str, dict[UUID, bool]] = "", {}

    def get_verdicts(self, catalog_version: str) -> dict[UUID, bool]:
        """Return the cached verdicts for a catalog: example id -> whether the catalog holds its names."""
        version, verdicts = self._verdicts
        if version != catalog_version:
            verdicts = {}
            self._verdicts = catalog_version, verdicts
        return verdicts
