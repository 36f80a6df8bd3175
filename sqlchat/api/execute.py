"""SQL in, rows out."""

from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.defaults import choose_connection
from sqlchat.api.exports import DOCUMENTED
from sqlchat.api.resource import Resource
from sqlchat.api.running import answer_rows
from sqlchat.schemas.execute import (
    EXECUTE_EXAMPLE,
    EXECUTED_EXAMPLE,
    ExecutedSchema,
    ExecuteSchema,
    ExportQuerySchema,
)

blueprint = Resource(
    "execute", __name__, access=security.DATA, url_prefix="/api/execute", description="SQL in, rows out."
)


@blueprint.post("")
@blueprint.doc(responses={200: {"content": DOCUMENTED}})
@blueprint.arguments(ExecuteSchema, example=EXECUTE_EXAMPLE)
@blueprint.arguments(ExportQuerySchema, location="query")
@blueprint.response(200, ExecutedSchema, example=EXECUTED_EXAMPLE)
@blueprint.fails(401, 404, 406, 413, 415, 503, 504)
def execute(payload: dict[str, Any], query: dict[str, Any]) -> Response:
    """Run one reading statement on a connection, and roll back.

    Anything but a single statement that only reads is refused with 400 and the reason. With `Accept` of text/csv,
    application/x-ndjson, application/vnd.apache.arrow.stream or application/vnd.apache.parquet the whole result is
    streamed as a file.
    """
    return answer_rows(choose_connection(payload), payload["sql"], payload.get("max_rows"), query["csv_formulas"])
