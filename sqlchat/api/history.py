"""What the caller has asked and run."""

from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.rendering import render_entry
from sqlchat.api.resource import Resource, answer, runtime
from sqlchat.schemas.history import HISTORY_EXAMPLE, HistoryQuerySchema, HistorySchema

blueprint = Resource("history", __name__, url_prefix="/api/history", description="What the caller has asked and run.")
blueprint.before_request(security.needs_own_name)


@blueprint.get("")
@blueprint.doc(security=security.CALLER_OR_LOCAL)
@blueprint.arguments(HistoryQuerySchema, location="query")
@blueprint.response(200, HistorySchema, example=HISTORY_EXAMPLE)
@blueprint.fails(401, 503)
def show_history(query: dict[str, Any]) -> Response:
    """List what the caller has asked and run, failures too, the newest first; never the rows that came of it.

    Follow `next` with `before` for more; new entries do not shift the pages. What is older than the service keeps is
    forgotten.
    """
    page, after = runtime().store.history.page(security.owner(), **query)
    return answer({"history": [render_entry(entry) for entry in page], "next": after})
