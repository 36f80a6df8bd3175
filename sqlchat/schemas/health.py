"""Schema of the answers of /health and /ready."""

from marshmallow import Schema, fields

from sqlchat.schemas.fields import required_field


class HealthSchema(Schema):
    status = required_field(fields.String, example="ok")
