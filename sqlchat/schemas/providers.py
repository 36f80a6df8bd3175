"""Schema of the answer of /api/providers."""

from marshmallow import Schema, fields

from sqlchat.schemas.fields import required_field


class ProvidersSchema(Schema):
    providers = required_field(fields.List, "All that this service knows.", fields.String())
    configured = required_field(fields.List, "Those that can be used now.", fields.String())
    default = required_field(fields.String, "The provider of a request that names none.")
