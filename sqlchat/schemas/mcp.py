"""The arguments of the tools of `/mcp`."""

from marshmallow import RAISE, Schema, fields, validate

from sqlchat.schemas.chat import LONGEST_QUESTION
from sqlchat.schemas.execute import MaxRows
from sqlchat.schemas.texts import refuse_control_characters


class ToolSchema(Schema):
    """Arguments of a tool; by itself, of one that takes none."""

    class Meta:
        unknown = RAISE


class ConnectionSchema(ToolSchema):
    connection = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "Name of the database, from `list_connections`."},
    )


class DescribeSchema(ConnectionSchema):
    tables = fields.List(
        fields.String(),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"description": "Tables whose columns to show, as `table` or `schema.table`; none: names alone."},
    )


class AskSchema(ConnectionSchema):
    question = fields.String(
        required=True,
        validate=[
            validate.Length(max=LONGEST_QUESTION),
            validate.Regexp(r".*\S", flags=16, error="Ask something."),
            refuse_control_characters,
        ],
        metadata={"description": "The question, in plain language."},
    )
    max_rows = MaxRows()
    conversation_id = fields.UUID(metadata={"description": "From an earlier answer, to follow up on it."})
    notes = fields.String(
        load_default="",
        validate=[validate.Length(max=LONGEST_QUESTION), refuse_control_characters],
        metadata={"description": "What a word of the question means here."},
    )


class RunSchema(ConnectionSchema):
    sql = fields.String(
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "One statement that reads, such as a SELECT."},
    )
    max_rows = MaxRows()
