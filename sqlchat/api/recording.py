"""Records a question or query in the history, and the same facts in the request's log line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g

from sqlchat.api import security
from sqlchat.api.requests import note, request_tag
from sqlchat.api.resource import runtime
from sqlchat.store import Entry


@contextmanager
def record_entry(
    route: str, connection_id: str, *, question: str | None = None, sql: str | None = None
) -> Iterator[Entry]:
    """Around the work of a view that fills in the entry; an error is recorded and goes on.

    The log gets neither question nor SQL: they can hold personal data, and logs are copied to where nothing is ever
    forgotten. Nor a hash of them, from which a short question can be guessed. The `request_id` leads from the log to
    the history, where both are kept for as long as SQLCHAT_HISTORY_DAYS says.
    """
    caller = g.caller.id if g.caller else None
    entry = Entry(security.owner(), connection_id, route, request_tag(), caller, question, sql)
    try:
        with runtime().audit.keep_entry(entry):
            yield entry
    finally:
        note(
            connection=entry.connection_id,
            outcome=entry.outcome,
            provider=entry.provider,
            model=entry.model,
            prompt_tokens=entry.prompt_tokens,
            completion_tokens=entry.completion_tokens,
            rows=entry.row_count,
        )
