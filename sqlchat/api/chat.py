"""`/api/chat`: answers a question with SQL and rows."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any, cast

from flask import Response

from sqlchat.api import security, streaming
from sqlchat.api.defaults import choose_connection, choose_provider
from sqlchat.api.recording import record_entry
from sqlchat.api.rendering import render_answer
from sqlchat.api.requests import note, request_tag
from sqlchat.api.resource import Resource, answer, runtime
from sqlchat.chat.answer import Answer, Stage
from sqlchat.chat.question import Question
from sqlchat.schemas.chat import CHAT_EXAMPLE, CHATTED_EXAMPLE, EVENTS_EXAMPLE, ChatSchema, ChattedSchema

blueprint = Resource(
    "chat", __name__, access=security.DATA, url_prefix="/api/chat", description="A question in, SQL and rows out."
)


@blueprint.post("")
@blueprint.arguments(ChatSchema, example=CHAT_EXAMPLE)
@blueprint.response(200, ChattedSchema, example=CHATTED_EXAMPLE)
@blueprint.response(200, {"type": "string"}, content_type="text/event-stream", example=EVENTS_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 422, 429, 502, 503, 504)
def chat(payload: dict[str, Any]) -> Response:
    """Turn a question into SQL, check it, run it read-only, and say what the answer rests on.

    A question that cannot be turned into SQL is answered with 422 and the reason. With `Accept: text/event-stream`
    the stages come as events (`context`, `sql`, `checked`, `results`); the last one, `answer`, has this same JSON, or
    it is `error` with the problem.
    """
    stages = record_stages(read_question(payload))
    if streaming.is_wanted():
        return streaming.stream(stages)
    *_, reply = stages
    return answer(render_answer(cast(Answer, reply)))


def read_question(payload: dict[str, Any]) -> Question:
    return Question(
        owner=security.get_owner(),
        connection_id=choose_connection(payload),
        text=payload["prompt"],
        provider=choose_provider(payload),
        auto_execute=payload["auto_execute"],
        dialect=payload.get("dialect"),
        max_rows=payload.get("max_rows"),
        mode=payload["mode"],
        notes=payload["notes"],
        conversation=payload.get("conversation_id"),
        claims=security.get_claims(),
        tag=request_tag(),
    )


def record_stages(question: Question) -> Generator[Stage]:
    """Yield the stages of `question` and record its entry in the history, also if it fails.

    The entry is written before the last stage, the answer, goes out: the next question may follow up on it.
    """
    with record_entry("chat", question.connection_id, question=question.text) as entry:
        for stage in runtime().pipeline.run_stages(question, entry):
            if isinstance(stage, Answer):
                note(attempts=stage.attempts)
                break
            yield stage
    assert isinstance(stage, Answer)
    yield replace(stage, history=entry.id) if security.has_history() else stage
