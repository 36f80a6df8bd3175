"""Keeps what an owner tells of a connection, once it was checked. Nothing that a model wrote comes here by itself."""

from __future__ import annotations

from sqlchat.chat import repair
from sqlchat.chat.examples import normal_form, outlived
from sqlchat.connections.gate import Gate
from sqlchat.connections.live import Claims
from sqlchat.connections.manager import ConnectionManager
from sqlchat.errors import DeadlineError, PayloadError, SQLRefusedError, TooLargeError
from sqlchat.providers.reading import bare
from sqlchat.sql.fragments import fragment_faults
from sqlchat.sql.names import nearest, unknown_names
from sqlchat.store.knowledge import BusinessContext, Example, KnowledgeStore
from sqlchat.workers import Workers

CHECKING, READING = 5.0, 10.0
"""Seconds in a worker process: for one look at a statement, and for reading the SQL of all terms."""
OUTLIVED = "The question asks relative to today, the SQL has a fixed date: compute it, as from CURRENT_DATE."


class Teaching:
    """Process-wide and safe to use from several threads."""

    def __init__(self, store: KnowledgeStore, manager: ConnectionManager, gate: Gate, workers: Workers) -> None:
        self._store, self._manager, self._gate, self._workers = store, manager, gate, workers

    def put_context(self, owner: str, connection_id: str, context: BusinessContext) -> None:
        """Keep `context` in place of what there was; the SQL of its terms must parse in the connection's dialect.

        Raises ConnectionNotFoundError, PayloadError that names the terms at fault, and BusyError.
        """
        dialect = self._manager.dialect(owner, connection_id)
        faults = self._twice(context) or self._unreadable(context, dialect)
        if faults:
            raise PayloadError("Some terms cannot be kept; `errors` says which.", errors={"terms": faults})
        self._store.replace_context(owner, connection_id, context)

    def put_example(
        self, owner: str, connection_id: str, question: str, sql: str, *, note: str = "", claims: Claims = None
    ) -> tuple[Example, bool]:
        """Keep `sql` as the answer to `question`, in place of the one that there was; True where there was none.

        It must pass the guard, the catalog, the connection's policy, the database's own planner and the ceiling on
        plans, as the caller whose token holds `claims`. Raises what the gate and `unknown_names` raise, and
        PayloadError where the connection has too many examples, or where the SQL has a fixed date for a question
        that asks relative to today.
        """
        sql = bare(sql)
        if outlived(question, sql):
            raise PayloadError("This example would soon be wrong.", errors={"sql": [OUTLIVED]})
        version = self._checked(owner, connection_id, sql, claims)
        form = normal_form(question)
        return self._store.put_example(
            owner, connection_id, question=question, form=form, sql=sql, note=note, catalog_version=version
        )

    def _checked(self, owner: str, connection_id: str, sql: str, claims: Claims) -> str:
        """The version of the catalog that holds all names of `sql`, once all the rest is well with it too."""
        connection = self._manager.get(owner, connection_id, claims)
        for refresh in (False, True):  # the catalog at hand may be older than a table in it
            catalog = self._manager.catalog(owner, connection_id, claims, refresh=refresh)
            if not self._gate.check(connection, sql, catalog).plannable:
                raise SQLRefusedError("An example must be a query (SELECT, VALUES, WITH), for it answers a question.")
            unknown = self._workers.call(unknown_names, sql, catalog.mentioned_in(sql), deadline=CHECKING)
            if not unknown:
                break
        else:
            raise repair.unknown(unknown, {name.name: nearest(name, catalog) for name in unknown})
        self._gate.explain(connection, sql)
        return catalog.version

    def _twice(self, context: BusinessContext) -> dict[int, dict[str, list[str]]]:
        first: dict[str, int] = {}
        faults = {}
        for place, term in enumerate(context.terms):
            if first.setdefault(normal_form(term.term), place) != place:
                faults[place] = {"term": ["This term is there twice."]}
        return faults

    def _unreadable(self, context: BusinessContext, dialect: str) -> dict[int, dict[str, list[str]]]:
        places = [place for place, term in enumerate(context.terms) if term.sql]
        if not places:
            return {}
        fragments = [context.terms[place].sql for place in places]
        try:
            found = self._workers.call(fragment_faults, fragments, dialect, deadline=READING)
        except (DeadlineError, TooLargeError):
            found = tuple("This, or another of them, is too costly to read." for _ in places)
        return {place: {"sql": [fault]} for place, fault in zip(places, found, strict=True) if fault}
