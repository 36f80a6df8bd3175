"""`/api/lineage`: the tables and columns that SQL reads and writes."""

from typing import Any

from sqlchat.api import security
from sqlchat.api.resource import Resource, runtime
from sqlchat.schemas.lineage import LINEAGE_REQUEST_EXAMPLE, LineageRequestSchema
from sqlchat.schemas.results import LINEAGE_EXAMPLE, LineageSchema
from sqlchat.sql.lineage import Lineage

blueprint = Resource(
    "lineage", __name__, access=security.DATA, url_prefix="/api/lineage", description="What SQL reads and writes."
)


@blueprint.post("")
@blueprint.arguments(LineageRequestSchema, example=LINEAGE_REQUEST_EXAMPLE)
@blueprint.response(200, LineageSchema, example=LINEAGE_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 503, 504)
def show_lineage(payload: dict[str, Any]) -> Lineage:
    """Say what SQL reads and writes, without running it; with a connection, its catalog resolves names."""
    return runtime().lineage(
        security.get_owner(),
        payload["sql"],
        payload.get("dialect"),
        payload.get("connection_id"),
        security.get_claims(),
    )
