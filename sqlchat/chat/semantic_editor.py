"""Maps a semantic document, has the database check the result, and keeps it for a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlchat.connections.manager import ConnectionManager
from sqlchat.connections.open_connection import Claims, OpenConnection
from sqlchat.errors import DeadlineError, PayloadError, QueryError, SQLRefusedError, SQLSyntaxError, TooLargeError
from sqlchat.sql.fragments import find_fragment_faults
from sqlchat.sql.names import explain_unknown
from sqlchat.sql.references import write_comparison
from sqlchat.sql.semantic import Mapped, MappedTerm, list_sources, map_document
from sqlchat.store.knowledge import KnowledgeStore, Reference, SemanticModel, Term
from sqlchat.workers import Workers

MAPPING = 20.0
"""Seconds for a document in a worker process."""

Unmapped = Sequence[tuple[str, str]]
"""Paths in the document, with reasons."""


class SemanticEditor:
    """Process-wide and safe to use from several threads."""

    def __init__(self, store: KnowledgeStore, manager: ConnectionManager, workers: Workers) -> None:
        self._store, self._manager, self._workers = store, manager, workers

    def put(
        self, owner: str, connection_id: str, document: Mapping[str, Any], claims: Claims = None
    ) -> tuple[SemanticModel, Unmapped]:
        """Keep `document` and what can be mapped of it, in place of the one before; what people wrote stays.

        The SQL of each term must pass the guard, the policy and the database's planner, as the caller whose token
        holds `claims`. Raises ConnectionNotFoundError, PayloadError for a document that is too costly to read, and
        what reading the catalog raises.
        """
        connection = self._manager.open(owner, connection_id, claims)
        connection.read_catalog()  # the tables may be as new as their document
        mapped = self._map(document, connection)
        faults = self._check_terms(mapped.terms, connection) | self._check_references(mapped, connection)
        model = SemanticModel(
            mapped.notes,
            tuple(
                Term(each.term, each.definition, each.sql, each.synonyms)
                for each in mapped.terms
                if each.path not in faults
            ),
            tuple(Reference(*pair) for path, pair in mapped.references if path not in faults),
            mapped.descriptions,
        )
        self._store.replace_semantic(owner, connection_id, model, document)
        return model, (*mapped.unmapped, *faults.items())

    def _map(self, document: Mapping[str, Any], connection: OpenConnection) -> Mapped:
        part = connection.catalog.listed.mentioned_in("\n".join(list_sources(document)))
        try:
            return self._workers.call(map_document, document, part, deadline=MAPPING)
        except (DeadlineError, TooLargeError) as exc:
            raise PayloadError("This document is too costly to read; send it in parts.") from exc

    def _check_terms(self, terms: Sequence[MappedTerm], connection: OpenConnection) -> dict[str, str]:
        """Reasons against terms, by their paths."""
        computed = [term for term in terms if term.sql]
        fragments = [term.sql for term in computed]
        found = self._workers.call(find_fragment_faults, fragments, connection.dialect, deadline=MAPPING)
        faults = {term.path: fault for term, fault in zip(computed, found, strict=True) if fault}
        for term in computed:
            if term.path not in faults and (fault := _try_query(term.query, connection)):
                faults[term.path] = f"{fault} ({term.sql})"
        return faults

    def _check_references(self, mapped: Mapped, connection: OpenConnection) -> dict[str, str]:
        """Reasons against references, by their paths."""
        comparisons = {path: write_comparison(pair, connection.catalog) for path, pair in mapped.references}
        faults = {path: _try_query(sql, connection) for path, sql in comparisons.items() if sql}
        return {path: fault for path, fault in faults.items() if fault}


def _try_query(sql: str, connection: OpenConnection) -> str:
    """Why the database does not take the query, or must not; "" if nothing speaks against it."""
    try:
        examined = connection.examine(sql)
        if fault := explain_unknown(examined.unknown, connection.catalog):
            return fault.detail
        connection.explain(examined)
    except (SQLRefusedError, SQLSyntaxError, QueryError) as exc:
        return exc.detail
    return ""
