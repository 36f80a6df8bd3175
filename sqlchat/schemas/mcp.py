"""Schemas of the arguments of the tools of `/mcp`."""

from marshmallow import RAISE, Schema, fields, validate

from sqlchat.schemas.chat import LONGEST_QUESTION
from sqlchat.schemas.fields import NOT_EMPTY, MaxRows, make_field, make_text_field, required_field


class ToolSchema(Schema):
    """Arguments of a tool without any; base of the others."""

    class Meta:
        unknown = RAISE


class ConnectionSchema(ToolSchema):
    connection = required_field(fields.String, "Name of the database, from `list_connections`.", validate=NOT_EMPTY)


class DescribeSchema(ConnectionSchema):
    tables = make_field(
        fields.List,
        "Tables whose columns to show, as `table` or `schema.table`; none: names alone.",
        fields.String(),
        load_default=list,
        validate=validate.Length(max=50),
    )


class AskSchema(ConnectionSchema):
    question = make_text_field(
        LONGEST_QUESTION, "The question, in plain language.", demand="Ask something.", required=True
    )
    max_rows = MaxRows()
    conversation_id = make_field(fields.UUID, "From an earlier answer, to follow up on it.")
    notes = make_text_field(LONGEST_QUESTION, "The meaning of words of the question.", load_default="")


class RunSchema(ConnectionSchema):
    sql = required_field(fields.String, "One statement that reads, such as a SELECT.", validate=NOT_EMPTY)
    max_rows = MaxRows()
