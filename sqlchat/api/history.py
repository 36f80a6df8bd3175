"""`/api/history`: the caller's questions and queries, with feedback."""

import uuid
from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.exports import DOCUMENTED
from sqlchat.api.rendering import render_entry, render_example, render_feedback
from sqlchat.api.requests import note
from sqlchat.api.resource import Resource, answer, describe_path, runtime
from sqlchat.api.running import answer_rows
from sqlchat.errors import BadRequestError, EntryNotFoundError
from sqlchat.schemas.execute import EXECUTED_EXAMPLE, ExecutedSchema, HistoryResultQuerySchema
from sqlchat.schemas.history import (
    FEEDBACK_EXAMPLE,
    HISTORY_EXAMPLE,
    KEPT_FEEDBACK_EXAMPLE,
    GiveFeedbackSchema,
    HistoryQuerySchema,
    HistorySchema,
    KeptFeedbackSchema,
)
from sqlchat.schemas.knowledge import ForgottenSchema
from sqlchat.store import Entry
from sqlchat.store.history import LONGEST_SQL

blueprint = Resource(
    "history",
    __name__,
    access=security.OWN_HISTORY,
    url_prefix="/api/history",
    description="What the caller has asked and run.",
)

LATEST = "latest"
NO_ENTRY = "There is no such entry in your history."
BY_ID = [describe_path("entry_id", LATEST, "The id of an entry; `latest` is the newest that has a result.")]


@blueprint.get("")
@blueprint.arguments(HistoryQuerySchema, location="query")
@blueprint.response(200, HistorySchema, example=HISTORY_EXAMPLE)
@blueprint.fails(401, 503)
def show_history(query: dict[str, Any]) -> Response:
    """List what the caller has asked and run, failures too, the newest first; never the rows that came of it.

    Follow `next` with `before` for more; new entries do not shift the pages. What is older than the service keeps is
    forgotten.
    """
    owner, store = security.get_owner(), runtime().store
    page, after = store.history.page(owner, **query)
    feedback = store.feedback.find(owner, [entry.id for entry in page]) if page else {}
    return answer({"history": [render_entry(entry, feedback.get(entry.id)) for entry in page], "next": after})


@blueprint.get("/<entry_id>/result", parameters=BY_ID)
@blueprint.doc(responses={200: {"content": DOCUMENTED}})
@blueprint.arguments(HistoryResultQuerySchema, location="query")
@blueprint.response(200, ExecutedSchema, example=EXECUTED_EXAMPLE)
@blueprint.fails(401, 404, 406, 503, 504)
def show_result(query: dict[str, Any], entry_id: str) -> Response:
    """Run an entry's SQL again, as the caller is today, and answer as `POST /api/execute` does.

    Nothing of the first run is kept: policies, row-level security and data are those of now.
    """
    entry = _find_entry(entry_id)
    if entry.outcome != "ok":
        raise BadRequestError(f"This entry ended in `{entry.outcome}`, so it has no result.")
    if not entry.sql:
        raise EntryNotFoundError("This entry has no SQL, so it has no result.")
    if len(entry.sql) >= LONGEST_SQL:
        raise BadRequestError("The history keeps this entry's SQL in part only; send it to /api/execute.")
    return answer_rows(entry.connection_id, entry.sql, query.get("max_rows"), query["csv_formulas"])


@blueprint.post("/<entry_id>/feedback", parameters=BY_ID)
@blueprint.arguments(GiveFeedbackSchema, example=FEEDBACK_EXAMPLE)
@blueprint.response(201, KeptFeedbackSchema, example=KEPT_FEEDBACK_EXAMPLE)
@blueprint.alt_response(200, schema=KeptFeedbackSchema, example=KEPT_FEEDBACK_EXAMPLE, description="Replaced")
@blueprint.fails(401, 404, 413, 415, 503, 504)
def give_feedback(payload: dict[str, Any], entry_id: str) -> Response:
    """Say of an answer whether it is good; said again, it replaces what there was (200).

    Corrected SQL must be allowed, name what the database holds, and be planned by it; else it is refused with 400 and
    nothing is kept. Only with `as_example` does the question become a verified example of its connection.
    """
    entry = _find_entry(entry_id)
    feedback, example, is_new = runtime().feedback.give(
        entry,
        payload["rating"],
        comment=(payload["comment"] or "").strip(),
        corrected_sql=payload["corrected_sql"] or "",
        as_example=payload["as_example"],
        claims=security.get_claims(),
    )
    note(connection=entry.connection_id)
    body = render_feedback(feedback) | {"example": render_example(example, stale=False) if example else None}
    return answer(body, 201 if is_new else 200)


@blueprint.delete("/<entry_id>/feedback", parameters=BY_ID)
@blueprint.response(200, ForgottenSchema, example={"status": "deleted"})
@blueprint.fails(401, 404, 503)
def delete_feedback(entry_id: str) -> dict[str, str]:
    """Forget what was said of an answer; an example that was made of it stays."""
    runtime().store.feedback.delete(security.get_owner(), _find_entry(entry_id).id)
    return {"status": "deleted"}


def _find_entry(entry_id: str) -> Entry:
    """Return the caller's entry with that id, or the newest that has a result. Raises EntryNotFoundError."""
    try:
        wanted = None if entry_id == LATEST else uuid.UUID(entry_id)
    except ValueError:
        raise EntryNotFoundError(NO_ENTRY) from None
    entry = runtime().store.history.find(security.get_owner(), wanted)
    if entry is None:
        raise EntryNotFoundError(NO_ENTRY)
    return entry
