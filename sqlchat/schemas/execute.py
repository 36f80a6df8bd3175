"""Schemas of SQL to run and of its rows."""

from marshmallow import Schema, fields, validate

from sqlchat.schemas.fields import NOT_EMPTY, MaxRows, make_choice_field, make_connection_field, make_field
from sqlchat.schemas.results import RESULTS_EXAMPLE, ResultsSchema

EXECUTE_EXAMPLE = {"connection_id": "demo", "sql": "SELECT COUNT(*) FROM orders"}
EXECUTED_EXAMPLE = {"results": RESULTS_EXAMPLE}


class ExecuteSchema(Schema):
    connection_id = make_connection_field()
    sql = fields.String(required=True, validate=NOT_EMPTY)
    max_rows = MaxRows()


class ExportQuerySchema(Schema):
    csv_formulas = make_choice_field(
        "keep",
        "guard",
        description="In CSV, `guard` puts an apostrophe before texts that a spreadsheet would compute: those that "
        "begin with =, +, -, @, a tab or a carriage return.",
        load_default="keep",
    )


class HistoryResultQuerySchema(ExportQuerySchema):
    max_rows = make_field(fields.Integer, "Most rows to answer with.", example=1000, validate=validate.Range(min=1))


class ExecutedSchema(Schema):
    results = fields.Nested(ResultsSchema, required=True)
