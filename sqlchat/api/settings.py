"""`/api/settings`: shows and changes a small JSON object of each signed-in caller."""

from typing import Any

from sqlchat.api import security
from sqlchat.api.resource import Resource, runtime
from sqlchat.schemas.settings import CHANGES_EXAMPLE, SETTINGS_EXAMPLE, ChangesSchema, SettingsSchema

blueprint = Resource(
    "settings",
    __name__,
    access=security.SIGNED_IN,
    url_prefix="/api/settings",
    description="What a caller wants remembered.",
)


@blueprint.get("")
@blueprint.response(200, SettingsSchema, example=SETTINGS_EXAMPLE)
@blueprint.fails(401, 503)
def show_settings() -> dict[str, Any]:
    """Show the caller's settings."""
    user = security.require_caller().id
    return {"user_id": user, "settings": runtime().store.user_settings.get(user)}


@blueprint.patch("")
@blueprint.arguments(ChangesSchema, example=CHANGES_EXAMPLE)
@blueprint.response(200, SettingsSchema, example=SETTINGS_EXAMPLE)
@blueprint.fails(401, 413, 415, 503)
def change_settings(changes: dict[str, Any]) -> dict[str, Any]:
    """Set the given keys and keep the others; `null` removes a key.

    `default_connection` and `default_provider` are used where a request leaves them out.
    """
    user = security.require_caller().id
    return {"user_id": user, "settings": runtime().store.user_settings.patch(user, changes)}
