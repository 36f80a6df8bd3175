"""Schemas of SQL to run and of its rows."""

from typing import Any

from marshmallow import Schema, fields, validate

from sqlchat.schemas.results import RESULTS_EXAMPLE, ResultsSchema

EXECUTE_EXAMPLE = {"connection_id": "demo", "sql": "SELECT COUNT(*) FROM orders"}
EXECUTED_EXAMPLE = {"results": RESULTS_EXAMPLE}


class MaxRows(fields.Integer):
    """A field for the most rows of an answer. A number above SQLCHAT_MAX_ROWS_CEILING counts as that."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            strict=True,
            validate=validate.Range(min=1),
            metadata={"description": "Most rows to answer with."},
            **options,
        )

    def _validated(self, value: Any) -> int:
        """Take 5.0 as 5: JSON has one kind of number, and one above 64 bits arrives as a float."""
        is_whole = isinstance(value, float) and value.is_integer()
        return super()._validated(int(value) if is_whole else value)


class ExecuteSchema(Schema):
    connection_id = fields.String(
        validate=validate.Length(min=1),
        metadata={"description": "Name of the connection; else the caller's default."},
    )
    sql = fields.String(required=True, validate=validate.Length(min=1))
    max_rows = MaxRows()


class ExportQuerySchema(Schema):
    csv_formulas = fields.String(
        load_default="keep",
        validate=validate.OneOf(["keep", "guard"]),
        metadata={
            "description": "In CSV, `guard` puts an apostrophe before texts that a spreadsheet would compute: those "
            "that begin with =, +, -, @, a tab or a carriage return."
        },
    )


class HistoryResultQuerySchema(ExportQuerySchema):
    max_rows = fields.Integer(
        validate=validate.Range(min=1), metadata={"description": "Most rows to answer with.", "example": 1000}
    )


class ExecutedSchema(Schema):
    results = fields.Nested(ResultsSchema, required=True)
