"""The answer of /api/auth/me."""

from marshmallow import Schema, fields


class MeSchema(Schema):
    id = fields.String(required=True, metadata={"description": "The token's `sub`."})
    email = fields.String(required=True, allow_none=True, metadata={"example": "user@example.com"})
