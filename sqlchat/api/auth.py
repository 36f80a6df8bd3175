"""`/api/auth`: shows the user of a token."""

from typing import Any

from sqlchat.api import security
from sqlchat.api.resource import Resource
from sqlchat.schemas.auth import MeSchema

blueprint = Resource(
    "auth", __name__, access=security.SIGNED_IN, url_prefix="/api/auth", description="Who the caller is."
)

EXAMPLE = {"id": "0b7c6f1e-8f5a-4c62-9a55-2f8f6f0f3a10", "email": "user@example.com"}


@blueprint.get("/me")
@blueprint.response(200, MeSchema, example=EXAMPLE)
@blueprint.fails(401, 503)
def me() -> dict[str, Any]:
    """Say who the token's bearer is."""
    caller = security.require_caller()
    return {"id": caller.id, "email": caller.email}
