"""Schemas of a result and of a lineage, which several routes share."""

from marshmallow import Schema, fields

from sqlchat.schemas.fields import required_field

RESULTS_EXAMPLE = {"columns": ["count"], "rows": [[123]], "row_count": 1, "truncated": False, "types": ["INTEGER"]}
LINEAGE_EXAMPLE = {
    "query_type": "SELECT",
    "tables_read": ["customers"],
    "tables_written": [],
    "columns_used": ["*"],
    "ctes": [],
}


class ResultsSchema(Schema):
    """Documents a result. Rows never pass through it."""

    columns = required_field(fields.List, "Names, in order; may repeat.", fields.String())
    rows = required_field(
        fields.List,
        "Numerics keep every digit; times are ISO 8601; bytes are base64. Values that JSON lacks are texts on every "
        "database: `NaN`, `Infinity`, `-Infinity` for numbers, `infinity` and `-infinity` for times.",
        fields.List(fields.Raw(allow_none=True)),
    )
    row_count = required_field(fields.Integer, "Rows in this answer.")
    truncated = required_field(fields.Boolean, "Whether the database had more rows.")
    types = required_field(fields.List, "The database's type of each column.", fields.String())


class LineageSchema(Schema):
    query_type = required_field(fields.String, example="SELECT")
    tables_read = fields.List(fields.String(), required=True)
    tables_written = fields.List(fields.String(), required=True)
    columns_used = fields.List(fields.String(), required=True)
    ctes = fields.List(fields.String(), required=True)
