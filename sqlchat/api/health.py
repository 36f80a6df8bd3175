"""`/health` and `/ready`: whether the process answers, and whether it can work."""

from sqlchat.api.resource import Resource, runtime
from sqlchat.schemas.health import HealthSchema

blueprint = Resource("health", __name__, description="Whether the process answers, and whether it can work.")


@blueprint.get("/health")
@blueprint.response(200, HealthSchema, example={"status": "ok"})
def health() -> dict[str, str]:
    """Say that the process answers; touches no database."""
    return {"status": "ok"}


@blueprint.get("/ready")
@blueprint.response(200, HealthSchema, example={"status": "ready"})
@blueprint.fails(503)
def ready() -> dict[str, str]:
    """Say that questions can be answered: the store is there and migrated, and worker processes start.

    If not, 503 gives the reason.
    """
    runtime().check_ready()
    return {"status": "ready"}
