"""Checks and stores an owner's notes, terms, references and verified examples for a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlchat.chat.examples import fixes_relative_dates, normalize_question
from sqlchat.connections.manager import ConnectionManager
from sqlchat.connections.open_connection import Claims, OpenConnection
from sqlchat.errors import DeadlineError, PayloadError, QueryError, SQLRefusedError, TooLargeError, UnavailableError
from sqlchat.providers.statements import strip_fence
from sqlchat.sql.fragments import find_fragment_faults
from sqlchat.sql.names import explain_unknown
from sqlchat.sql.references import find_faults, write_comparison
from sqlchat.store.knowledge import BusinessContext, Example, KnowledgeStore, Reference
from sqlchat.workers import Workers

READING = 10.0
"""Seconds in a worker process for reading the SQL of all terms."""
OUTLIVED = "The question asks relative to today, the SQL has a fixed date: compute it, as from CURRENT_DATE."

Faults = dict[int, dict[str, list[str]]]
"""Place in a list -> field -> messages."""


class KnowledgeEditor:
    """Checks and stores the knowledge that an owner gives about a connection. Safe to use from several threads.

    Models write nothing here by themselves.
    """

    def __init__(self, store: KnowledgeStore, manager: ConnectionManager, workers: Workers) -> None:
        self._store, self._manager, self._workers = store, manager, workers

    def put_context(self, owner: str, connection_id: str, context: BusinessContext, claims: Claims = None) -> None:
        """Replace the stored context by `context`.

        The SQL of its terms must parse in the connection's dialect. The database must hold the columns of its
        references, as the caller whose token holds `claims` sees it; stored references are not checked again.
        Raises ConnectionNotFoundError, PayloadError that names the parts at fault, BusyError, and the errors of
        reading the catalog.
        """
        dialect = self._manager.dialect(owner, connection_id)
        faults = {
            "terms": self._find_duplicates(context) or self._find_unreadable(context, dialect),
            "references": self._find_misfits(owner, connection_id, context, claims),
        }
        if errors := {field: at_fault for field, at_fault in faults.items() if at_fault}:
            raise PayloadError(f"Some {' and '.join(errors)} cannot be kept; `errors` says which.", errors=errors)
        self._store.replace_context(owner, connection_id, context)

    def find_stale(
        self, owner: str, connection_id: str, references: Sequence[Reference], claims: Claims = None
    ) -> list[bool | None]:
        """Return for each reference if its columns are gone; None for each if the database cannot be reached."""
        if not references:
            return []
        try:
            catalog = self._manager.open(owner, connection_id, claims).catalog
        except UnavailableError:
            return [None for _ in references]
        return [bool(find_faults((each.columns, each.ref_columns), catalog)) for each in references]

    def put_example(
        self, owner: str, connection_id: str, question: str, sql: str, *, note: str = "", claims: Claims = None
    ) -> tuple[Example, bool]:
        """Store `sql` as the answer to `question`, in place of an earlier one; return True if there was none.

        It must pass the guard, the catalog, the connection's policy, the database's own planner and the ceiling on
        plans, as the caller whose token holds `claims`.

        Raises what `OpenConnection.examine` and `explain` raise, QueryError for an unknown name, and PayloadError if
        the connection has too many examples, or the SQL has a fixed date for a question that asks relative to today.
        """
        sql = strip_fence(sql)
        if fixes_relative_dates(question, sql):
            raise PayloadError("This example would soon be wrong.", errors={"sql": [OUTLIVED]})
        version = self.check_sql(owner, connection_id, sql, claims)
        form = normalize_question(question)
        return self._store.put_example(
            owner, connection_id, question=question, form=form, sql=sql, note=note, catalog_version=version
        )

    def check_sql(self, owner: str, connection_id: str, sql: str, claims: Claims = None) -> str:
        """Check `sql` as `put_example` does; return the version of the catalog that holds its names.

        Raises as `put_example` does.
        """
        connection = self._manager.open(owner, connection_id, claims)
        examined = connection.examine(sql)
        if examined.unknown:  # the catalog at hand may be older than a table in it
            connection.read_catalog()
            examined = connection.examine(sql)
        if not examined.is_plannable:
            raise SQLRefusedError("This must be a query (SELECT, VALUES, WITH), for it answers a question.")
        if fault := explain_unknown(examined.unknown, connection.catalog):
            raise fault
        connection.explain(examined)
        return connection.catalog.version

    def _find_duplicates(self, context: BusinessContext) -> Faults:
        first: dict[str, int] = {}
        faults: Faults = {}
        for place, term in enumerate(context.terms):
            if first.setdefault(normalize_question(term.term), place) != place:
                faults[place] = {"term": ["This term is there twice."]}
        return faults

    def _find_misfits(self, owner: str, connection_id: str, context: BusinessContext, claims: Claims) -> Faults:
        """Return the faults of new references: why the database cannot have them."""
        before = self._store.read(owner, connection_id).context.references if context.references else ()
        new = {place: each for place, each in enumerate(context.references) if each not in before}
        if not new:
            return {}
        connection = self._manager.open(owner, connection_id, claims)
        faults = self._check_references(new, connection)
        if faults:  # the catalog at hand may be older than a table in it
            connection.read_catalog()
            faults = self._check_references(new, connection)
        return faults

    def _check_references(self, references: Mapping[int, Reference], connection: OpenConnection) -> Faults:
        faults: Faults = {}
        for place, each in references.items():
            pair = each.columns, each.ref_columns
            if found := find_faults(pair, connection.catalog):
                faults[place] = found
            elif comparison := write_comparison(pair, connection.catalog):
                try:
                    connection.explain(connection.examine(comparison))
                except QueryError as exc:
                    faults[place] = {"to": [f"The database cannot compare these columns: {exc.detail}"]}
        return faults

    def _find_unreadable(self, context: BusinessContext, dialect: str) -> Faults:
        places = [place for place, term in enumerate(context.terms) if term.sql]
        if not places:
            return {}
        fragments = [context.terms[place].sql for place in places]
        try:
            found = self._workers.call(find_fragment_faults, fragments, dialect, deadline=READING)
        except (DeadlineError, TooLargeError):
            found = tuple("This, or another of them, is too costly to read." for _ in places)
        return {place: {"sql": [fault]} for place, fault in zip(places, found, strict=True) if fault}
