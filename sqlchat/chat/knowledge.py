"""Finds the owner's notes, terms, references and verified examples for a question."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlchat.chat.examples import ExampleIndex, normalize_question
from sqlchat.chat.terms import TermIndex
from sqlchat.errors import BusyError, DeadlineError, TooLargeError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.descriptions import Description, add_descriptions
from sqlchat.sql.fragments import hold_names
from sqlchat.sql.policies.hidden_names import HiddenNames
from sqlchat.sql.profiles import Profiles
from sqlchat.sql.references import add_references
from sqlchat.store.knowledge import BusinessContext, Example, KnowledgeStore, Known, Reference, Term
from sqlchat.workers import Workers

MOST_EXAMPLES = 4
"""Of one question..."""
LOOKED_AT = 24  # ...chosen from so many of the nearest, since some may be stale
MOST_BOOKS = 50
"""Connections whose knowledge a process holds; the least recently asked is dropped."""
MOST_TAUGHT = 4
"""Catalogs of one connection, as different callers and providers see it."""
CHECKING = 5.0
"""Seconds for the names of some statements in a worker process."""


class Lesson:
    """References and descriptions of a connection. Safe to use from several threads."""

    def __init__(self, references: Sequence[Reference] = (), descriptions: Sequence[Description] = ()) -> None:
        self._references, self._descriptions = references, descriptions
        self._taught: list[tuple[Catalog, int, Catalog]] = []
        self._lock = threading.Lock()

    def teach(self, catalog: Catalog, profiles: Profiles) -> Catalog:
        """`catalog` with the references as foreign keys and the descriptions as comments, as far as it holds them.

        Gives the same object for the same catalog and profiles, so that it can be a key of caches.
        """
        if not self._references and not self._descriptions:
            return catalog
        seen = hash(profiles)
        with self._lock:
            for known, of, taught in self._taught:
                if known is catalog and of == seen:
                    return taught
            pairs = ((each.columns, each.ref_columns) for each in self._references)
            taught = add_descriptions(add_references(catalog, pairs, profiles), self._descriptions)
            self._taught = [(catalog, seen, taught), *self._taught[: MOST_TAUGHT - 1]]
        return taught


NO_LESSON = Lesson()


@dataclass(frozen=True, slots=True)
class Recalled:
    """The knowledge that matters to one question; empty if there is none."""

    notes: str = ""
    """For every question."""
    terms: tuple[Term, ...] = ()
    """Those that the question uses."""
    examples: tuple[Example, ...] = ()
    """Those whose questions are the nearest, the nearest first, at most 4; with `exact` where there is one."""
    exact: Example | None = None
    """The one that asks the very same question: its SQL is the answer."""
    lesson: Lesson = field(default=NO_LESSON, compare=False)
    """References and descriptions for the catalog."""

    def leave_out(self, hidden: HiddenNames) -> Recalled:
        """Without terms and lines of notes in which one of these names is."""
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
    """Process-wide and safe to use from several threads.

    A question costs one look-up in the store. The knowledge is read again only after a process changed it.
    """

    def __init__(self, store: KnowledgeStore, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self._books: OrderedDict[str, _Book] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, owner: str, connection_id: str, question: str, catalog: Catalog) -> Recalled:
        """The knowledge that matters to `question`, without examples whose names `catalog` no longer holds.

        Raises ConnectionNotFoundError, and StoreUnavailableError while the store is gone.
        """
        book = self._open_book(owner, connection_id)
        if book is None:
            return NOTHING
        same = book.examples.find_same(question)
        near = book.examples.find_nearest(question, LOOKED_AT)
        if same is not None:
            near = [same, *(example for example in near if example is not same)]
        try:
            stale = self._find_stale(book, near, catalog)
        except (BusyError, DeadlineError, TooLargeError):  # then better without examples than no answer
            stale = {example.id for example in near}
        fresh = [example for example in near if example.id not in stale]
        return Recalled(
            notes=book.notes,
            terms=book.terms.find_matching(question),
            examples=tuple(fresh[:MOST_EXAMPLES]),
            exact=same if same is not None and same.id not in stale else None,
            lesson=book.lesson,
        )

    def teach_catalog(self, owner: str, connection_id: str, catalog: Catalog, profiles: Profiles) -> Catalog:
        """`catalog` with what the owner said of it, as `Lesson.teach` adds it.

        Raises ConnectionNotFoundError, StoreUnavailableError.
        """
        book = self._open_book(owner, connection_id)
        return catalog if book is None else book.lesson.teach(catalog, profiles)

    def read_context(self, owner: str, connection_id: str) -> BusinessContext:
        """The notes, terms and references of people. Raises ConnectionNotFoundError, StoreUnavailableError."""
        book = self._open_book(owner, connection_id)
        return BusinessContext() if book is None else book.known.context

    def list_examples(self, owner: str, connection_id: str, catalog: Catalog) -> list[tuple[Example, bool]]:
        """All examples, the newest first, each with whether it is stale: `catalog` does not hold its names.

        Raises ConnectionNotFoundError, StoreUnavailableError, BusyError, DeadlineError and TooLargeError.
        """
        book = self._open_book(owner, connection_id)
        if book is None:
            return []
        stale = self._find_stale(book, book.known.examples, catalog)
        return [(example, example.id in stale) for example in book.known.examples]

    def _open_book(self, owner: str, connection_id: str) -> _Book | None:
        stamp = self._store.stamp(owner, connection_id)
        if not stamp.version:
            return None
        with self._lock:
            book = self._books.get(stamp.connection)
            if book is not None and book.known.stamp == stamp:
                self._books.move_to_end(stamp.connection)
                return book
        book = _Book(self._store.read(owner, connection_id))
        with self._lock:
            self._books[book.known.stamp.connection] = book
            self._books.move_to_end(book.known.stamp.connection)
            while len(self._books) > MOST_BOOKS:
                self._books.popitem(last=False)
        return book

    def _find_stale(self, book: _Book, examples: Iterable[Example], catalog: Catalog) -> set[UUID]:
        """The ids of the examples whose names `catalog` does not hold; those stored under its version are fresh."""
        verdicts = book.get_verdicts(catalog.version)
        asked = [example for example in examples if example.catalog_version != catalog.version]
        unknown = [example for example in asked if example.id not in verdicts]
        if unknown:
            statements = [example.sql for example in unknown]
            part = catalog.mentioned_in("\n".join(statements))
            found = self._workers.call(hold_names, statements, part, deadline=CHECKING)
            verdicts.update({example.id: kept for example, kept in zip(unknown, found, strict=True)})
        return {example.id for example in asked if not verdicts[example.id]}


class _Book:
    """The knowledge of one connection, indexed for look-ups."""

    def __init__(self, known: Known) -> None:
        self.known = known
        written, brought = known.context, known.semantic
        self.notes = "\n".join(filter(None, (written.notes, brought.notes)))
        self.lesson = Lesson((*written.references, *brought.references), brought.descriptions)
        names = {normalize_question(term.term) for term in written.terms}
        terms = (*written.terms, *(term for term in brought.terms if normalize_question(term.term) not in names))
        self.terms, self.examples = TermIndex(terms), ExampleIndex(known.examples)
        self._verdicts: tuple[str, dict[UUID, bool]] = "", {}

    def get_verdicts(self, catalog_version: str) -> dict[UUID, bool]:
        """Whether the catalog of that version holds the names of each example, by the ids of those checked so far."""
        version, verdicts = self._verdicts
        if version != catalog_version:
            verdicts = {}
            self._verdicts = catalog_version, verdicts
        return verdicts
