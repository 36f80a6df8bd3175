"""The answer of /api/providers."""

from marshmallow import Schema, fields


class ProvidersSchema(Schema):
    providers = fields.List(fields.String(), required=True, metadata={"description": "All that this service knows."})
    configured = fields.List(fields.String(), required=True, metadata={"description": "Those that can be used now."})
    default = fields.String(required=True, metadata={"description": "Used where a request names none."})
