"""What the owner has told of a connection: notes, terms and verified examples, found for a question and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlchat.chat.examples import ExampleIndex, normal_form, outlived
from sqlchat.chat.terms import TermIndex
from sqlchat.connections.manager import ConnectionManager
from sqlchat.connections.open_connection import Claims
from sqlchat.errors import BusyError, DeadlineError, PayloadError, SQLRefusedError, TooLargeError
from sqlchat.providers.reading import bare
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.fragments import fragment_faults, held
from sqlchat.sql.names import explain_unknown
from sqlchat.store.knowledge import BusinessContext, Example, Kept, KnowledgeStore, Term
from sqlchat.workers import Workers

MOST_EXAMPLES = 4
"""Of one question..."""
LOOKED_AT = 24  # ...chosen from so many of the nearest, since some may be stale
MOST_BOOKS = 50
"""Connections whose knowledge a process holds; the least recently asked is dropped."""
CHECKING = 5.0
"""Seconds for the names of some statements in a worker process."""
READING = 10.0
"""Seconds in a worker process for reading the SQL of all terms."""
OUTLIVED = "The question asks relative to today, the SQL has a fixed date: compute it, as from CURRENT_DATE."


@dataclass(frozen=True, slots=True)
class Recalled:
    """All empty where the owner told nothing that matters."""

    notes: str = ""
    """For every question."""
    terms: tuple[Term, ...] = ()
    """Those that the question uses."""
    examples: tuple[Example, ...] = ()
    """Those whose questions are the nearest, the nearest first, at most 4; with `exact` where there is one."""
    exact: Example | None = None
    """The one that asks the very same question: its SQL is the answer."""


NOTHING = Recalled()


class Knowledge:
    """Process-wide and safe to use from several threads.

    A question costs one look-up in the store; only when something changed since the last one, in whichever process,
    is what is known read anew.
    """

    def __init__(self, store: KnowledgeStore, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self._books: OrderedDict[str, _Book] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, owner: str, connection_id: str, question: str, catalog: Catalog) -> Recalled:
        """What matters to `question`. An example that `catalog` no longer holds is left out.

        Raises ConnectionNotFoundError, and StoreUnavailableError while the store is gone.
        """
        book = self._book(owner, connection_id)
        if book is None:
            return NOTHING
        same = book.examples.same(question)
        near = book.examples.nearest(question, LOOKED_AT)
        if same is not None:
            near = [same, *(example for example in near if example is not same)]
        try:
            stale = self._stale(book, near, catalog)
        except (BusyError, DeadlineError, TooLargeError):  # then better without examples than no answer
            stale = {example.id for example in near}
        fresh = [example for example in near if example.id not in stale]
        return Recalled(
            notes=book.kept.context.notes,
            terms=book.terms.matching(question),
            examples=tuple(fresh[:MOST_EXAMPLES]),
            exact=same if same is not None and same.id not in stale else None,
        )

    def context(self, owner: str, connection_id: str) -> BusinessContext:
        """All notes and terms. Raises ConnectionNotFoundError, StoreUnavailableError."""
        book = self._book(owner, connection_id)
        return BusinessContext() if book is None else book.kept.context

    def examples(self, owner: str, connection_id: str, catalog: Catalog) -> list[tuple[Example, bool]]:
        """All examples, the newest first, each with whether it is stale: `catalog` does not hold its names.

        Raises ConnectionNotFoundError, StoreUnavailableError, BusyError, DeadlineError and TooLargeError.
        """
        book = self._book(owner, connection_id)
        if book is None:
            return []
        stale = self._stale(book, book.kept.examples, catalog)
        return [(example, example.id in stale) for example in book.kept.examples]

    def _book(self, owner: str, connection_id: str) -> _Book | None:
        stamp = self._store.stamp(owner, connection_id)
        if not stamp.version:
            return None
        with self._lock:
            book = self._books.get(stamp.connection)
            if book is not None and book.kept.stamp == stamp:
                self._books.move_to_end(stamp.connection)
                return book
        book = _Book(self._store.kept(owner, connection_id))
        with self._lock:
            self._books[book.kept.stamp.connection] = book
            self._books.move_to_end(book.kept.stamp.connection)
            while len(self._books) > MOST_BOOKS:
                self._books.popitem(last=False)
        return book

    def _stale(self, book: _Book, examples: Iterable[Example], catalog: Catalog) -> set[UUID]:
        """The ids of those whose names `catalog` does not hold. One stored under it is not even looked at."""
        verdicts = book.verdicts(catalog.version)
        asked = [example for example in examples if example.catalog_version != catalog.version]
        unknown = [example for example in asked if example.id not in verdicts]
        if unknown:
            statements = [example.sql for example in unknown]
            part = catalog.mentioned_in("\n".join(statements))
            found = self._workers.call(held, statements, part, deadline=CHECKING)
            verdicts.update({example.id: kept for example, kept in zip(unknown, found, strict=True)})
        return {example.id for example in asked if not verdicts[example.id]}


class _Book:
    """What is known of one connection, ready to be looked up."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.terms, self.examples = TermIndex(kept.context.terms), ExampleIndex(kept.examples)
        self._verdicts: tuple[str, dict[UUID, bool]] = "", {}

    def verdicts(self, catalog_version: str) -> dict[UUID, bool]:
        """For each example that was looked at: whether the catalog of that version holds its names."""
        version, verdicts = self._verdicts
        if version != catalog_version:
            verdicts = {}
            self._verdicts = catalog_version, verdicts
        return verdicts


class KnowledgeEditor:
    """Keeps what an owner tells of a connection, once it was checked. Safe to use from several threads.

    Nothing that a model wrote comes here by itself.
    """

    def __init__(self, store: KnowledgeStore, manager: ConnectionManager, workers: Workers) -> None:
        self._store, self._manager, self._workers = store, manager, workers

    def put_context(self, owner: str, connection_id: str, context: BusinessContext) -> None:
        """Keep `context` in place of what there was; the SQL of its terms must parse in the connection's dialect.

        Raises ConnectionNotFoundError, PayloadError that names the terms at fault, and BusyError.
        """
        dialect = self._manager.dialect(owner, connection_id)
        faults = self._find_duplicates(context) or self._find_unreadable(context, dialect)
        if faults:
            raise PayloadError("Some terms cannot be kept; `errors` says which.", errors={"terms": faults})
        self._store.replace_context(owner, connection_id, context)

    def put_example(
        self, owner: str, connection_id: str, question: str, sql: str, *, note: str = "", claims: Claims = None
    ) -> tuple[Example, bool]:
        """Keep `sql` as the answer to `question`, in place of the one that there was; True where there was none.

        It must pass the guard, the catalog, the connection's policy, the database's own planner and the ceiling on
        plans, as the caller whose token holds `claims`.

        Raises what `OpenConnection.examine` and `explain` raise, QueryError for an unknown name, and PayloadError if
        the connection has too many examples, or the SQL has a fixed date for a question that asks relative to today.
        """
        sql = bare(sql)
        if outlived(question, sql):
            raise PayloadError("This example would soon be wrong.", errors={"sql": [OUTLIVED]})
        version = self._check_sql(owner, connection_id, sql, claims)
        form = normal_form(question)
        return self._store.put_example(
            owner, connection_id, question=question, form=form, sql=sql, note=note, catalog_version=version
        )

    def _check_sql(self, owner: str, connection_id: str, sql: str, claims: Claims) -> str:
        """The version of the catalog that holds all names of `sql`, once all the rest is well with it too."""
        connection = self._manager.open(owner, connection_id, claims)
        examined = connection.examine(sql)
        if examined.unknown:  # the catalog at hand may be older than a table in it
            connection.read_catalog()
            examined = connection.examine(sql)
        if not examined.is_plannable:
            raise SQLRefusedError("An example must be a query (SELECT, VALUES, WITH), for it answers a question.")
        if fault := explain_unknown(examined.unknown, connection.catalog):
            raise fault
        connection.explain(examined)
        return connection.catalog.version

    def _find_duplicates(self, context: BusinessContext) -> dict[int, dict[str, list[str]]]:
        first: dict[str, int] = {}
        faults = {}
        for place, term in enumerate(context.terms):
            if first.setdefault(normal_form(term.term), place) != place:
                faults[place] = {"term": ["This term is there twice."]}
        return faults

    def _find_unreadable(self, context: BusinessContext, dialect: str) -> dict[int, dict[str, list[str]]]:
        places = [place for place, term in enumerate(context.terms) if term.sql]
        if not places:
            return {}
        fragments = [context.terms[place].sql for place in places]
        try:
            found = self._workers.call(fragment_faults, fragments, dialect, deadline=READING)
        except (DeadlineError, TooLargeError):
            found = tuple("This, or another of them, is too costly to read." for _ in places)
        return {place: {"sql": [fault]} for place, fault in zip(places, found, strict=True) if fault}
