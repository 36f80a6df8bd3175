"""`/api/providers`: the models that write SQL."""

from typing import Any

from sqlchat.api.resource import Resource, runtime
from sqlchat.schemas.providers import ProvidersSchema

blueprint = Resource("providers", __name__, url_prefix="/api/providers", description="Who can write SQL here.")

EXAMPLE = {"providers": ["openai", "anthropic", "offline"], "configured": ["offline"], "default": "offline"}


@blueprint.get("")
@blueprint.response(200, ProvidersSchema, example=EXAMPLE)
@blueprint.fails(500)
def list_providers() -> dict[str, Any]:
    """List the providers of SQL, and which of them are configured."""
    factory = runtime().providers
    return {
        "providers": factory.list_names(),
        "configured": factory.list_configured(),
        "default": factory.find_default(),
    }
