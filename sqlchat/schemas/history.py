"""Schemas of entries of the history, and of feedback on them."""

import orjson
from marshmallow import Schema, fields, validate

from sqlchat.schemas.chat import TokensSchema
from sqlchat.schemas.fields import make_choice_field, make_field, make_text_field, required_field
from sqlchat.schemas.knowledge import LONGEST_DEFINITION, LONGEST_EXAMPLE, TaughtSchema

LARGEST_PAGE = 200
RATINGS = ("good", "bad")

ENTRY_EXAMPLE = orjson.loads("""
{"id": "01914b1f-6c4e-7c1a-9d3b-5f0c2b7a8e11", "at": "2026-03-01T09:30:00.123456+00:00",
 "user_id": "0b7c6f1e-8f5a-4c62-9a55-2f8f6f0f3a10", "connection_id": "warehouse", "route": "chat",
 "question": "Top 10 customers by revenue", "sql": "SELECT ...", "provider": "openai", "model": "gpt-4o-mini",
 "outcome": "ok", "status": 200, "row_count": 10, "ms": 861.4,
 "tokens": {"prompt": 120, "completion": 90, "total": 210}, "request_id": "7b0d3f6c0a2c4a0f9f5d6f2f5f1f0c11",
 "conversation_id": "5d1f0a52-7b8f-4f0e-9f7c-2a7f4c1f9a33",
 "interpretation": "The ten customers whose orders add up to most.", "feedback": null}
""")
FEEDBACK_EXAMPLE = {"rating": "bad", "comment": "Cancelled orders count too.", "corrected_sql": None}
KEPT_FEEDBACK_EXAMPLE = FEEDBACK_EXAMPLE | {"at": "2026-03-01T09:31:00.123456+00:00", "example": None}
HISTORY_EXAMPLE = {"history": [ENTRY_EXAMPLE], "next": None}


class HistoryQuerySchema(Schema):
    limit = make_field(
        fields.Integer, "Entries in the answer.", load_default=50, validate=validate.Range(1, LARGEST_PAGE)
    )
    before = make_field(fields.UUID, "`next` of the page before this one.")
    connection_id = make_field(fields.String, "Only of this connection.", example="demo")
    outcome = make_field(fields.String, "`ok`, or the `code` of a problem.", example="ok")
    conversation_id = make_field(fields.UUID, "Only questions of this conversation.")
    rating = make_choice_field(
        *RATINGS,
        "any",
        description="Only entries that the caller found `good` or `bad`, or gave `any` feedback on.",
        data_key="feedback",
    )


class FeedbackSchema(Schema):
    rating = make_choice_field(*RATINGS, required=True)
    comment = make_text_field(LONGEST_DEFINITION, load_default=None, allow_none=True)
    corrected_sql = make_text_field(
        LONGEST_EXAMPLE,
        "The query that answers the question; checked as any SQL.",
        least=1,
        load_default=None,
        allow_none=True,
    )


class GiveFeedbackSchema(FeedbackSchema):
    as_example = make_field(
        fields.Boolean,
        "Keep the question with the corrected SQL, or with its own if that is good, as an example.",
        load_default=False,
    )


class ShownFeedbackSchema(FeedbackSchema):
    at = required_field(fields.DateTime, "The time of the feedback.")


class KeptFeedbackSchema(ShownFeedbackSchema):
    example = required_field(
        fields.Nested, "With `as_example`, the verified example that was made.", TaughtSchema, allow_none=True
    )


class EntrySchema(Schema):
    id = fields.UUID(required=True)
    at = required_field(fields.DateTime, "The end of the request, in UTC.")
    user_id = required_field(fields.String, "`sub` of the caller's token.", allow_none=True)
    connection_id = required_field(fields.String, "As the request named it.")
    route = make_choice_field("chat", "execute", "mcp", required=True)
    question = fields.String(required=True, allow_none=True)
    sql = required_field(fields.String, "The last one that was tried, as the database got it.", allow_none=True)
    provider = fields.String(required=True, allow_none=True)
    model = fields.String(required=True, allow_none=True)
    outcome = required_field(fields.String, "`ok`, or the `code` of the problem.")
    status = required_field(fields.Integer, "The answer's HTTP status.")
    row_count = required_field(fields.Integer, "Rows in the answer.", allow_none=True)
    ms = required_field(fields.Float, "Milliseconds of the request.")
    tokens = fields.Nested(TokensSchema, required=True)
    request_id = required_field(fields.String, "Also in the log and the database's comment.")
    conversation_id = required_field(fields.UUID, "Of questions that follow one another.", allow_none=True)
    interpretation = required_field(fields.String, "The question as it was read.", allow_none=True)
    feedback = required_field(fields.Nested, "The caller's feedback on it.", ShownFeedbackSchema, allow_none=True)


class HistorySchema(Schema):
    history = required_field(fields.List, "The newest first.", fields.Nested(EntrySchema))
    next = required_field(fields.String, "`before` of the next page; null on the last.", allow_none=True)
