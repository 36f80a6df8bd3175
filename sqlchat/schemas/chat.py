"""A question and its answer."""

from marshmallow import Schema, fields, validate

from sqlchat.schemas.execute import MaxRows
from sqlchat.schemas.results import LINEAGE_EXAMPLE, LineageSchema, ResultsSchema

LONGEST_QUESTION = 4000  # characters

CHAT_EXAMPLE = {"connection_id": "demo", "prompt": "Top 10 customers by revenue", "auto_execute": True}
CHATTED_EXAMPLE = {
    "sql": "SELECT ...",
    "provider": "openai",
    "model": "gpt-4o-mini",
    "tokens": {"prompt": 120, "completion": 90, "total": 210},
    "results": {
        "columns": ["customer", "revenue"],
        "rows": [["Acme", 1000]],
        "row_count": 1,
        "truncated": False,
        "types": ["TEXT", "REAL"],
    },
    "explanation": "Sums the revenue of each customer's orders and keeps the ten highest.",
    "assumptions": [],
    "warnings": [],
    "lineage": LINEAGE_EXAMPLE | {"columns_used": ["customers.name"]},
    "attempts": 1,
    "timings": {"context": 2.1, "model": 850.0, "check": 4.2, "run": 3.0},
}


class ChatSchema(Schema):
    connection_id = fields.String(
        validate=validate.Length(min=1),
        metadata={"description": "Name of the connection; else the caller's default."},
    )
    prompt = fields.String(
        required=True,
        validate=[validate.Length(max=LONGEST_QUESTION), validate.Regexp(r".*\S", flags=16, error="Ask something.")],
        metadata={"description": "The question, in plain language."},
    )
    provider = fields.String(metadata={"description": "Who writes the SQL; else the first configured."})
    auto_execute = fields.Boolean(load_default=True, metadata={"description": "Whether to run the SQL."})
    dialect = fields.String(metadata={"description": "Dialect of the SQL in the answer; else the connection's own."})
    max_rows = MaxRows()


class TokensSchema(Schema):
    prompt = fields.Integer(required=True)
    completion = fields.Integer(required=True)
    total = fields.Integer(required=True)


class ChattedSchema(Schema):
    sql = fields.String(required=True)
    provider = fields.String(required=True)
    model = fields.String(required=True)
    tokens = fields.Nested(TokensSchema, required=True, metadata={"description": "Of all model calls, added up."})
    results = fields.Nested(ResultsSchema, required=True, allow_none=True)
    explanation = fields.String(required=True, metadata={"description": "What the SQL does."})
    assumptions = fields.List(fields.String(), required=True)
    warnings = fields.List(fields.String(), required=True)
    lineage = fields.Nested(LineageSchema, required=True)
    attempts = fields.Integer(required=True, metadata={"description": "Model calls."})
    timings = fields.Dict(keys=fields.String(), values=fields.Float(), required=True, metadata={"description": "ms"})
