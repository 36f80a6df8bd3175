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
    """Yield an entry for the view to fill in, then record it. An error is recorded too, and raised again.

    The log gets neither question nor SQL: they can hold personal data, and copies of logs are kept for ever. It gets
    no hash either, since a short question can be guessed from that. The `request_id` leads from the log to the
    history, which keeps both for SQLCHAT_HISTORY_DAYS.
    """
    caller = g.caller.id if g.caller else None
    entry = Entry(security.get_owner(), connection_id, route, request_tag(), caller, question, sql)
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
