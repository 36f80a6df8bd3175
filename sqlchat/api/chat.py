"""A question in, SQL and rows out."""

from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.defaults import chosen_connection, chosen_provider
from sqlchat.api.recording import recorded
from sqlchat.api.rendering import render_answer
from sqlchat.api.requests import note
from sqlchat.api.resource import Resource, answer, runtime
from sqlchat.schemas.chat import CHAT_EXAMPLE, CHATTED_EXAMPLE, ChatSchema, ChattedSchema

blueprint = Resource("chat", __name__, url_prefix="/api/chat", description="A question in, SQL and rows out.")
blueprint.before_request(security.needs_owner)


@blueprint.post("")
@blueprint.doc(security=security.CALLER_OR_LOCAL)
@blueprint.arguments(ChatSchema, example=CHAT_EXAMPLE)
@blueprint.response(200, ChattedSchema, example=CHATTED_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 422, 429, 502, 503, 504)
def chat(payload: dict[str, Any]) -> Response:
    """Turn a question into SQL, check it, run it read-only, and say what the answer rests on.

    A question that cannot be turned into SQL is answered with 422 and the reason.
    """
    connection_id, question, provider = chosen_connection(payload), payload["prompt"], chosen_provider(payload)
    with recorded("chat", connection_id, question=question) as entry:
        reply = runtime().pipeline.answer(
            entry.owner,
            connection_id,
            question,
            provider=provider,
            auto_execute=payload["auto_execute"],
            dialect=payload.get("dialect"),
            max_rows=payload.get("max_rows"),
            tag=entry.request_id,
            entry=entry,
            claims=security.claims(),
        )
    note(attempts=reply.attempts)
    return answer(render_answer(reply))
