"""Schema of the body of every failure (RFC 9457)."""

from marshmallow import INCLUDE, Schema, fields

from sqlchat.schemas.texts import required_field


class ProblemSchema(Schema):
    class Meta:
        title = "Problem"
        unknown = INCLUDE  # more facts may come

    type = fields.String(required=True, metadata={"example": "about:blank"})
    title = fields.String(required=True, metadata={"example": "Connection not found"})
    status = fields.Integer(required=True, metadata={"example": 404})
    detail = required_field(fields.String, "What was wrong, in a sentence.")
    code = fields.String(required=True, metadata={"description": "A stable word.", "example": "connection_not_found"})
    request_id = required_field(fields.String, "Also in the log and the database's comment.")
    errors = fields.Dict(keys=fields.String(), metadata={"description": "Field -> messages, for a payload."})
    sqlstate = fields.String(metadata={"description": "The database's code of the fault.", "example": "42703"})
    position = fields.Integer(metadata={"description": "Character of the SQL at which the fault is, from 1."})
    line = fields.Integer(metadata={"description": "Line of the file or SQL at which the fault is, from 1."})
    column = fields.Integer(metadata={"description": "Character of that line, from 1."})
    errno = fields.Integer(metadata={"description": "MySQL's number of the fault.", "example": 1054})
    error = fields.String(metadata={"description": "SQLite's or DuckDB's name of the fault.", "example": "Binder"})
    plan_cost = fields.Float(
        metadata={"description": "What the database expects the query to cost, in its own unit.", "example": 81250.5}
    )
    max_plan_cost = fields.Float(metadata={"description": "The ceiling that it is above.", "example": 10000.0})
    words = fields.List(fields.String(), metadata={"description": "Words of the question that were not understood."})
    sql = fields.String(metadata={"description": "The SQL at fault, where a model wrote it."})
