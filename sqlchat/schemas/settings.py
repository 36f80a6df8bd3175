"""Schemas of a caller's settings and of changes to them."""

from marshmallow import INCLUDE, Schema, fields

SETTINGS_EXAMPLE = {"user_id": "0b7c6f1e-8f5a-4c62-9a55-2f8f6f0f3a10", "settings": {"theme": "dark"}}
CHANGES_EXAMPLE = {"theme": "dark", "default_connection": "demo", "unwanted": None}


class SettingsSchema(Schema):
    user_id = fields.String(required=True)
    settings = fields.Dict(keys=fields.String(), required=True)


class ChangesSchema(Schema):
    """A JSON merge patch (RFC 7396) of the settings' top level: any keys."""

    class Meta:
        unknown = INCLUDE
