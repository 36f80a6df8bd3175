"""Schema of the answer of /api/auth/me."""

from marshmallow import Schema, fields

from sqlchat.schemas.texts import required_field


class MeSchema(Schema):
    id = required_field(fields.String, "The token's `sub`.")
    email = fields.String(required=True, allow_none=True, metadata={"example": "user@example.com"})
