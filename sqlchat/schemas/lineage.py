"""Schema of a request for the lineage of SQL."""

from marshmallow import Schema, fields

from sqlchat.schemas.fields import NOT_EMPTY, make_field

LINEAGE_REQUEST_EXAMPLE = {"sql": "SELECT * FROM customers", "dialect": "postgresql"}


class LineageRequestSchema(Schema):
    sql = fields.String(required=True, validate=NOT_EMPTY)
    dialect = make_field(fields.String, "Else the connection's own, else the common core of SQL.")
    connection_id = make_field(
        fields.String, "A connection whose catalog resolves `*` and bare columns.", validate=NOT_EMPTY
    )
