"""`/api/connections/{id}/context/semantic`: stores, shows and deletes a semantic document, such as dbt writes."""

from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.rendering import render_reference, render_term
from sqlchat.api.resource import Resource, answer, describe_path, runtime
from sqlchat.schemas.knowledge import ForgottenSchema
from sqlchat.schemas.semantic import DOCUMENT_EXAMPLE, MAPPED_EXAMPLE, MappedDocumentSchema, SemanticDocumentSchema

blueprint = Resource(
    "semantic",
    __name__,
    access=security.DATA,
    url_prefix="/api/connections",
    description="What a semantic layer tells of the data.",
)

PATH = "/<connection_id>/context/semantic"
NAMED = [describe_path("connection_id", "demo")]


@blueprint.put(PATH, parameters=NAMED)
@blueprint.arguments(SemanticDocumentSchema, example=DOCUMENT_EXAMPLE)
@blueprint.response(200, MappedDocumentSchema, example=MAPPED_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 503, 504)
def put_semantic_model(payload: dict[str, Any], connection_id: str) -> Response:
    """Keep a semantic document of Apache Ossie 0.1.x, such as dbt writes to `target/osi_document.json`.

    Descriptions, relationships, metrics, synonyms and instructions are used as if people had told them, and replace
    those of the document before; what people told stays. Whatever cannot be used is in `unmapped` with its reason.
    """
    model, unmapped = runtime().semantic_editor.put(
        security.get_owner(), connection_id, payload, security.get_claims()
    )
    mapped = {
        "notes": model.notes,
        "terms": [render_term(term) for term in model.terms],
        "references": [render_reference(reference) for reference in model.references],
        "descriptions": [
            {"table": f"{schema}.{table}" if schema else table, "column": column or None, "text": text}
            for schema, table, column, text in model.descriptions
        ],
    }
    return answer({"mapped": mapped, "unmapped": [{"path": path, "reason": reason} for path, reason in unmapped]})


@blueprint.get(PATH, parameters=NAMED)
@blueprint.response(200, SemanticDocumentSchema, example=DOCUMENT_EXAMPLE)
@blueprint.fails(401, 404, 503)
def show_semantic_model(connection_id: str) -> Response:
    """Give the semantic document as it was put."""
    return answer(runtime().store.knowledge.read_document(security.get_owner(), connection_id))


@blueprint.delete(PATH, parameters=NAMED)
@blueprint.response(200, ForgottenSchema, example={"status": "deleted"})
@blueprint.fails(401, 404, 503)
def delete_semantic_model(connection_id: str) -> dict[str, str]:
    """Forget the semantic document and all that it brought; what people told stays."""
    runtime().store.knowledge.delete_semantic(security.get_owner(), connection_id)
    return {"status": "deleted"}
