"""Schema of the answer of /api/auth/me."""

from marshmallow import Schema, fields

from sqlchat.schemas.fields import required_field


class MeSchema(Schema):
    id = required_field(fields.String, "The token's `sub`.")
    email = required_field(fields.String, example="user@example.com", allow_none=True)
