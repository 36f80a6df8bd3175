"""The arguments of the tools of `/mcp`. `JSON` is each schema as JSON Schema, which assistants are shown."""

from typing import Any, ClassVar

from marshmallow import Schema, fields, validate

from sqlchat.schemas.chat import LONGEST_QUESTION
from sqlchat.schemas.execute import MaxRows

CONNECTION = {"type": "string", "description": "Name of the database, from `list_connections`."}
MAX_ROWS = {"type": "integer", "minimum": 1, "description": "Most rows to give; the service has a cap of its own."}


def _make_object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


class ToolSchema(Schema):
    """Arguments of a tool; by itself, of one that takes none."""

    JSON: ClassVar[dict[str, Any]] = _make_object()


class ConnectionSchema(ToolSchema):
    JSON: ClassVar[dict[str, Any]] = _make_object(("connection",), connection=CONNECTION)

    connection = fields.String(required=True, validate=validate.Length(min=1))


class DescribeSchema(ConnectionSchema):
    JSON: ClassVar[dict[str, Any]] = _make_object(
        ("connection",),
        connection=CONNECTION,
        tables={
            "type": "array",
            "items": {"type": "string"},
            "description": "Tables whose columns to show, as `table` or `schema.table`; none: names alone.",
        },
    )

    tables = fields.List(fields.String(), load_default=list, validate=validate.Length(max=50))


class AskSchema(ConnectionSchema):
    JSON: ClassVar[dict[str, Any]] = _make_object(
        ("connection", "question"),
        connection=CONNECTION,
        question={"type": "string", "description": "The question, in plain language."},
        max_rows=MAX_ROWS,
        conversation_id={"type": "string", "description": "From an earlier answer, to follow up on it."},
        notes={"type": "string", "description": "What a word of the question means here."},
    )

    question = fields.String(
        required=True,
        validate=[validate.Length(max=LONGEST_QUESTION), validate.Regexp(r".*\S", flags=16, error="Ask something.")],
    )
    max_rows = MaxRows(load_default=None)
    conversation_id = fields.UUID(load_default=None)
    notes = fields.String(load_default="", validate=validate.Length(max=LONGEST_QUESTION))


class RunSchema(ConnectionSchema):
    JSON: ClassVar[dict[str, Any]] = _make_object(
        ("connection", "sql"),
        connection=CONNECTION,
        sql={"type": "string", "description": "One statement that reads, such as a SELECT."},
        max_rows=MAX_ROWS,
    )

    sql = fields.String(required=True, validate=validate.Length(min=1))
    max_rows = MaxRows(load_default=None)
