"""Whether the process answers."""

from sqlchat.api.resource import Resource
from sqlchat.schemas.health import HealthSchema

blueprint = Resource("health", __name__, description="Whether the process answers.")


@blueprint.get("/health")
@blueprint.response(200, HealthSchema, example={"status": "ok"})
def health() -> dict[str, str]:
    """Say that the process answers; touches no database."""
    return {"status": "ok"}
