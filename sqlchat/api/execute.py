"""SQL in, rows out."""

from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.defaults import chosen_connection
from sqlchat.api.recording import recorded
from sqlchat.api.rendering import render_results
from sqlchat.api.resource import Resource, answer, runtime
from sqlchat.schemas.execute import EXECUTE_EXAMPLE, EXECUTED_EXAMPLE, ExecutedSchema, ExecuteSchema

blueprint = Resource("execute", __name__, url_prefix="/api/execute", description="SQL in, rows out.")
blueprint.before_request(security.needs_owner)


@blueprint.post("")
@blueprint.doc(security=security.CALLER_OR_LOCAL)
@blueprint.arguments(ExecuteSchema, example=EXECUTE_EXAMPLE)
@blueprint.response(200, ExecutedSchema, example=EXECUTED_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 503, 504)
def execute(payload: dict[str, Any]) -> Response:
    """Run one reading statement on a connection, and roll back.

    Anything but a single statement that only reads is refused with 400 and the reason.
    """
    connection_id, sql = chosen_connection(payload), payload["sql"]
    with recorded("execute", connection_id, sql=sql) as entry:
        results = runtime().execute(
            entry.owner,
            connection_id,
            sql,
            max_rows=payload.get("max_rows"),
            tag=entry.request_id,
            claims=security.claims(),
        )
        entry.row_count = results.row_count
    return answer({"results": render_results(results)})
