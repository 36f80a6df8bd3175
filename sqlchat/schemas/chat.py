"""Schemas of a question and its answer."""

from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from sqlchat.schemas.fields import (
    MaxRows,
    make_choice_field,
    make_connection_field,
    make_field,
    make_text_field,
    required_field,
)
from sqlchat.schemas.results import LineageSchema, ResultsSchema

LONGEST_QUESTION = 4000  # characters

CHAT_EXAMPLE = {"connection_id": "demo", "prompt": "Top 10 customers by revenue", "auto_execute": True}
CHATTED_EXAMPLE = orjson.loads("""
{"sql": "SELECT ...", "provider": "openai", "model": "gpt-4o-mini",
 "tokens": {"prompt": 120, "completion": 90, "total": 210},
 "results": {"columns": ["customer", "revenue"], "rows": [["Acme", 1000]], "row_count": 1, "truncated": false,
             "types": ["TEXT", "REAL"]},
 "chart": {"kind": "none", "reason": "a single row", "spec": null},
 "explanation": "Sums the revenue of each customer's orders and keeps the ten highest.",
 "assumptions": [], "warnings": [],
 "lineage": {"query_type": "SELECT", "tables_read": ["customers"], "tables_written": [],
             "columns_used": ["customers.name"], "ctes": []},
 "executed_sql": null, "interpretation": "The ten customers whose orders add up to the most, with that sum.",
 "values_matched": [], "terms_used": [], "examples_used": [], "tables_omitted": [],
 "privacy": "samples", "sent": ["names", "profile", "values"], "catalog_version": "5f1d0c2a9b7e4436",
 "conversation_id": "6f1c1e34-6f0b-4f0f-9f39-0b1d52d0a1c4", "history_id": "01914b1f-6c4e-7c1a-9d3b-5f0c2b7a8e11",
 "agreement": null, "attempts": 1, "cost_usd": 0.0003,
 "timings": {"context": 2.1, "model": 850.0, "check": 4.2, "run": 3.0}}
""")
EVENTS_EXAMPLE = (
    'event: sql\ndata: {"sql": "SELECT ...", "attempt": 1}\n\n'
    'event: answer\ndata: {"sql": "SELECT ...", "provider": "openai"}\n\n'
)


class ChatSchema(Schema):
    connection_id = make_connection_field()
    prompt = make_text_field(
        LONGEST_QUESTION, "The question, in plain language.", demand="Ask something.", required=True
    )
    provider = make_field(fields.String, "Writes the SQL; else the first configured one does.")
    auto_execute = make_field(fields.Boolean, "Whether to run the SQL.", load_default=True)
    dialect = make_field(fields.String, "Of the SQL in the answer; else the connection's own, in which it runs.")
    max_rows = MaxRows()
    notes = make_text_field(
        LONGEST_QUESTION,
        "On this question: the meaning of a word, a way to count. For the model alone.",
        load_default="",
    )
    mode = make_choice_field(
        "quick",
        "thorough",
        description="`thorough` asks the model three times at once and answers with the result that most of them "
        "agree on. It needs auto_execute, since results decide.",
        load_default="quick",
    )
    conversation_id = make_field(
        fields.UUID, "Of an earlier answer: this question is understood as a follow-up to that."
    )

    @validates_schema
    def require_execution(self, payload: dict[str, Any], **_: Any) -> None:
        if payload.get("mode") == "thorough" and not payload.get("auto_execute", True):
            raise ValidationError("Candidates are compared by their results: leave auto_execute true.", "mode")


class MatchSchema(Schema):
    words = required_field(fields.String, "Words of the question.")
    table = fields.String(required=True)
    column = fields.String(required=True)
    value = required_field(fields.String, "The value in the column.")


class AgreementSchema(Schema):
    candidates = required_field(fields.Integer, "Number of candidates that ran without a fault.")
    agreeing = required_field(fields.Integer, "Number of candidates with the rows of the answer.")


class TokensSchema(Schema):
    prompt = fields.Integer(required=True)
    completion = fields.Integer(required=True)
    total = fields.Integer(required=True)


class ChartSchema(Schema):
    kind = make_choice_field("none", "number", "time_series", "bars", "grouped_bars", "scatter", required=True)
    reason = required_field(fields.String, "Why this kind, or why none.")
    spec = required_field(
        fields.Dict,
        "Vega-Lite, without its data: give it the rows as `data.values`, one object a row with the keys `c0`, `c1` "
        "and so on.",
        allow_none=True,
    )


class ChattedSchema(Schema):
    sql = fields.String(required=True)
    provider = fields.String(required=True)
    model = fields.String(required=True)
    tokens = required_field(fields.Nested, "Of all model calls, added up.", TokensSchema)
    results = fields.Nested(ResultsSchema, required=True, allow_none=True)
    chart = required_field(fields.Nested, "A way to draw the results.", ChartSchema, allow_none=True)
    executed_sql = required_field(
        fields.String, "The SQL that ran, if `sql` is its translation to another `dialect`.", allow_none=True
    )
    explanation = required_field(fields.String, "The result of the SQL, in words.")
    interpretation = required_field(fields.String, "The question as it was read.")
    assumptions = required_field(fields.List, "Readings that could have gone another way.", fields.String())
    warnings = fields.List(fields.String(), required=True)
    lineage = fields.Nested(LineageSchema, required=True)
    values_matched = required_field(
        fields.List, "Values that the question names and the model was told of.", fields.Nested(MatchSchema)
    )
    terms_used = required_field(fields.List, "The connection's business terms that it uses.", fields.String())
    examples_used = required_field(fields.List, "Verified examples that were shown, or that answer.", fields.UUID())
    tables_omitted = required_field(fields.List, "Tables that did not fit the prompt.", fields.String())
    privacy = required_field(fields.String, "The connection's limit of data that may go to a model.")
    sent = required_field(
        fields.List,
        "Data of the database that went to a model.",
        fields.String(validate=validate.OneOf(["names", "profile", "values", "rows"])),
    )
    catalog_version = fields.String(required=True)
    conversation_id = required_field(fields.UUID, "For a follow-up; null if no history is kept.", allow_none=True)
    history_id = required_field(fields.UUID, "Its entry in the history, for feedback; null without.", allow_none=True)
    agreement = required_field(fields.Nested, "Of a thorough answer.", AgreementSchema, allow_none=True)
    attempts = required_field(fields.Integer, "Model calls.")
    cost_usd = required_field(fields.Float, "If the model's price is configured.", allow_none=True)
    timings = required_field(fields.Dict, "ms", keys=fields.String(), values=fields.Float())
