"""SQL in, rows out."""

from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.defaults import chosen_connection
from sqlchat.api.rendering import render_results
from sqlchat.api.requests import request_tag
from sqlchat.api.resource import Resource, answer, runtime
from sqlchat.schemas.execute import EXECUTE_EXAMPLE, EXECUTED_EXAMPLE, ExecutedSchema, ExecuteSchema

blueprint = Resource("execute", __name__, url_prefix="/api/execute", description="SQL in, rows out.")
blueprint.before_request(security.needs_owner)


@blueprint.post("")
@blueprint.doc(security=[{"bearer": []}, {}])
@blueprint.arguments(ExecuteSchema, example=EXECUTE_EXAMPLE)
@blueprint.response(200, ExecutedSchema, example=EXECUTED_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 503, 504)
def execute(payload: dict[str, Any]) -> Response:
    """Run one reading statement on a connection, and roll back.

    Anything but a single statement that only reads is refused with 400 and the reason.
    """
    results = runtime().execute(
        security.owner(),
        chosen_connection(payload),
        payload["sql"],
        max_rows=payload.get("max_rows"),
        tag=request_tag(),
    )
    return answer({"results": render_results(results)})
