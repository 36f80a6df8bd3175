"""Rows of a result and the lineage of a statement, as several routes give them."""

from marshmallow import Schema, fields

RESULTS_EXAMPLE = {"columns": ["count"], "rows": [[123]], "row_count": 1, "truncated": False, "types": ["INTEGER"]}
LINEAGE_EXAMPLE = {
    "query_type": "SELECT",
    "tables_read": ["customers"],
    "tables_written": [],
    "columns_used": ["*"],
    "ctes": [],
}


class ResultsSchema(Schema):
    """Documents a result; rows are written straight from the database, never through this."""

    columns = fields.List(fields.String(), required=True, metadata={"description": "Names, in order; may repeat."})
    rows = fields.List(
        fields.List(fields.Raw(allow_none=True)),
        required=True,
        metadata={
            "description": "Numerics keep every digit; times are ISO 8601; bytes are base64. What JSON has no "
            "word for is a text, on every database: `NaN`, `Infinity`, `-Infinity` for numbers, `infinity` and "
            "`-infinity` for times."
        },
    )
    row_count = fields.Integer(required=True, metadata={"description": "Rows in this answer."})
    truncated = fields.Boolean(required=True, metadata={"description": "Whether the database had more rows."})
    types = fields.List(
        fields.String(), required=True, metadata={"description": "The database's type of each column."}
    )


class LineageSchema(Schema):
    query_type = fields.String(required=True, metadata={"example": "SELECT"})
    tables_read = fields.List(fields.String(), required=True)
    tables_written = fields.List(fields.String(), required=True)
    columns_used = fields.List(fields.String(), required=True)
    ctes = fields.List(fields.String(), required=True)
