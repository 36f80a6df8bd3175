"""Maps a semantic document to terms and references, lets the database check them, and stores them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlchat.chat.examples import normalize_question
from sqlchat.connections.manager import ConnectionManager
from sqlchat.connections.open_connection import Claims, OpenConnection
from sqlchat.errors import DeadlineError, PayloadError, QueryError, SQLRefusedError, SQLSyntaxError, TooLargeError
from sqlchat.sql.fragments import find_fragment_faults
from sqlchat.sql.names import explain_unknown
from sqlchat.sql.references import write_comparison
from sqlchat.sql.semantic import MappedDocument, list_sources, map_document
from sqlchat.store.knowledge import KnowledgeStore, Reference, SemanticModel, Term
from sqlchat.workers import Workers

MAPPING = 20.0
"""Seconds for a document in a worker process."""

OWN_TERM = "Your own term {!r} is used in place of this one."

Unmapped = Sequence[tuple[str, str]]
"""Paths in the document, with reasons."""


class SemanticEditor:
    """Stores semantic documents of connections. Safe to use from several threads."""

    def __init__(self, store: KnowledgeStore, manager: ConnectionManager, workers: Workers, timeout: float) -> None:
        """`timeout`: seconds that all checks of one document may take."""
        self._store, self._manager, self._workers, self._timeout = store, manager, workers, timeout

    def put(
        self, owner: str, connection_id: str, document: Mapping[str, Any], claims: Claims = None
    ) -> tuple[SemanticModel, Unmapped]:
        """Store `document` and its mapped parts in place of an earlier document. Terms that people wrote stay.

        The SQL of each term must pass the guard, the policy and the database's planner, as the caller whose token
        holds `claims`. Raises ConnectionNotFoundError, PayloadError for a document that is too costly to read,
        DeadlineError past the timeout, and what reading the catalog raises; nothing is kept then.
        """
        ends_at = time.monotonic() + self._timeout
        connection = self._manager.open(owner, connection_id, claims)
        connection.read_catalog()  # the tables may be as new as their document
        mapped = self._map(document, connection)
        faults = self._find_faults(mapped, connection, ends_at)
        terms = [term for term in mapped.terms if term.path not in faults]
        model = SemanticModel(
            mapped.notes,
            tuple(Term(term.term, term.definition, term.sql, term.synonyms) for term in terms),
            tuple(Reference(*pair) for path, pair in mapped.references if path not in faults),
            mapped.descriptions,
        )
        self._store.replace_semantic(owner, connection_id, model, document)
        own_terms = {normalize_question(term.term) for term in self._store.read(owner, connection_id).context.terms}
        hidden = [term for term in terms if normalize_question(term.term) in own_terms]
        notices = ((term.path, OWN_TERM.format(term.term)) for term in hidden)
        return model, (*mapped.unmapped, *faults.items(), *notices)

    def _map(self, document: Mapping[str, Any], connection: OpenConnection) -> MappedDocument:
        part = connection.catalog.listed.mentioned_in("\n".join(list_sources(document)))
        try:
            return self._workers.call(map_document, document, part, deadline=MAPPING)
        except (DeadlineError, TooLargeError) as exc:
            raise PayloadError("This document is too costly to read; send it in parts.") from exc

    def _find_faults(self, mapped: MappedDocument, connection: OpenConnection, ends_at: float) -> dict[str, str]:
        """Return the faults of terms and references, by their paths. Raises DeadlineError after `ends_at`."""
        computed = [term for term in mapped.terms if term.sql]
        fragments = [term.sql for term in computed]
        found = self._workers.call(find_fragment_faults, fragments, connection.dialect, deadline=MAPPING)
        faults = {term.path: fault for term, fault in zip(computed, found, strict=True) if fault}
        queries = [(term.path, term.query, f" ({term.sql})") for term in computed if term.path not in faults]
        queries += [(path, write_comparison(pair, connection.catalog), "") for path, pair in mapped.references]
        for path, query, source in queries:
            if time.monotonic() > ends_at:
                raise DeadlineError(f"Checking this document took longer than {self._timeout:g} s; nothing is kept.")
            if query and (fault := _try_query(query, connection)):
                faults[path] = fault + source
        return faults


def _try_query(sql: str, connection: OpenConnection) -> str:
    """Return the reason why the database refuses the query, or must not run it; "" if there is none."""
    try:
        examined = connection.examine(sql)
        if fault := explain_unknown(examined.unknown, connection.catalog):
            return fault.detail
        connection.explain(examined)
    except (SQLRefusedError, SQLSyntaxError, QueryError) as exc:
        return exc.detail
    return ""
