"""Schema of a request for the lineage of SQL."""

from marshmallow import Schema, fields, validate

LINEAGE_REQUEST_EXAMPLE = {"sql": "SELECT * FROM customers", "dialect": "postgresql"}


class LineageRequestSchema(Schema):
    sql = fields.String(required=True, validate=validate.Length(min=1))
    dialect = fields.String(metadata={"description": "Else the connection's own, else the common core of SQL."})
    connection_id = fields.String(
        validate=validate.Length(min=1),
        metadata={"description": "A connection whose catalog resolves `*` and bare columns."},
    )
