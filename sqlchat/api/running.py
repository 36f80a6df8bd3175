"""A caller's SQL run for an answer: as JSON, or as a file that the caller asks for."""

from __future__ import annotations

from flask import Response, request

from sqlchat.api import security
from sqlchat.api.exports import choose_format, export
from sqlchat.api.recording import record_entry
from sqlchat.api.rendering import render_results
from sqlchat.api.resource import answer, runtime
from sqlchat.connections.results import Results
from sqlchat.connections.streams import Stream
from sqlchat.store import Entry

ROUTE = "execute"
"""`route` of entries in the history."""
ANYTHING = "*/*"
"""What most clients accept."""
GUARD = "guard"
"""Of `csv_formulas`: texts that a spreadsheet would compute get an apostrophe."""


def run_recorded(route: str, connection_id: str, sql: str, max_rows: int | None) -> tuple[Results, Entry]:
    """Run the SQL as the caller. Returns its result and its entry in the history.

    Raises what `Runtime.execute` raises.
    """
    with record_entry(route, connection_id, sql=sql) as entry:
        results = runtime().execute(
            entry.owner, connection_id, sql, max_rows=max_rows, tag=entry.request_id, claims=security.get_claims()
        )
        entry.row_count = results.row_count
    return results, entry


def answer_rows(connection_id: str, sql: str, max_rows: int | None, csv_formulas: str) -> Response:
    """Run the SQL as the caller, record it in the history, and answer in the format of `Accept`.

    Raises NotAcceptableError, and what `Runtime.execute` raises.
    """
    accepted = request.headers.get("Accept", ANYTHING)
    wanted = None if accepted == ANYTHING else choose_format()
    if wanted is None:
        results, _ = run_recorded(ROUTE, connection_id, sql, max_rows)
        return answer({"results": render_results(results)})

    def open_stream(entry: Entry) -> Stream:
        return runtime().stream(
            entry.owner, connection_id, sql, max_rows=max_rows, tag=entry.request_id, claims=security.get_claims()
        )

    limits = [limit for limit in (max_rows, runtime().settings.max_export_rows) if limit]
    recording = record_entry(ROUTE, connection_id, sql=sql)
    return export(
        wanted, recording, open_stream, guards_formulas=csv_formulas == GUARD, most_rows=min(limits, default=0)
    )
