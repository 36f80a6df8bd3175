"""Schema of the body of every failure (RFC 9457)."""

from marshmallow import INCLUDE, Schema, fields

from sqlchat.schemas.fields import make_field, required_field


class ProblemSchema(Schema):
    class Meta:
        title = "Problem"
        unknown = INCLUDE  # more facts may come

    type = required_field(fields.String, example="about:blank")
    title = required_field(fields.String, example="Connection not found")
    status = required_field(fields.Integer, example=404)
    detail = required_field(fields.String, "The reason, in a sentence.")
    code = required_field(fields.String, "A stable word.", example="connection_not_found")
    request_id = required_field(fields.String, "Also in the log and the database's comment.")
    errors = make_field(fields.Dict, "Field -> messages, for a payload.", keys=fields.String())
    sqlstate = make_field(fields.String, "The database's code of the fault.", example="42703")
    position = make_field(fields.Integer, "Character of the SQL at which the fault is, from 1.")
    line = make_field(fields.Integer, "Line of the file or SQL at which the fault is, from 1.")
    column = make_field(fields.Integer, "Character of that line, from 1.")
    errno = make_field(fields.Integer, "MySQL's number of the fault.", example=1054)
    error = make_field(fields.String, "SQLite's or DuckDB's name of the fault.", example="Binder")
    plan_cost = make_field(fields.Float, "The database's estimate of the cost, in its own unit.", example=81250.5)
    max_plan_cost = make_field(fields.Float, "The ceiling that it is above.", example=10000.0)
    words = make_field(fields.List, "Words of the question that were not understood.", fields.String())
    sql = make_field(fields.String, "The SQL at fault, if a model wrote it.")
