"""`/api/connections/{id}/context` and `/examples`: notes, terms, references, and questions with verified SQL."""

from typing import Any
from uuid import UUID

from flask import Response

from sqlchat.api import security
from sqlchat.api.rendering import render_example, render_reference, render_term
from sqlchat.api.resource import Resource, answer, describe_path, runtime
from sqlchat.errors import ExampleNotFoundError
from sqlchat.schemas.knowledge import (
    CONTEXT_EXAMPLE,
    TAUGHT_EXAMPLE,
    TEACH_EXAMPLE,
    ContextSchema,
    ExamplesSchema,
    ForgottenSchema,
    TaughtSchema,
    TeachSchema,
)
from sqlchat.store.knowledge import BusinessContext, Reference, Term

blueprint = Resource(
    "knowledge",
    __name__,
    access=security.DATA,
    url_prefix="/api/connections",
    description="What the caller tells of their data.",
)

LATEST = "latest"
NAMED = [describe_path("connection_id", "demo")]
ONE = [*NAMED, describe_path("example_id", LATEST, "The id of an example; `latest` is the one that was kept last.")]


@blueprint.get("/<connection_id>/context", parameters=NAMED)
@blueprint.response(200, ContextSchema, example=CONTEXT_EXAMPLE)
@blueprint.fails(401, 404, 503, 504)
def show_context(connection_id: str) -> Response:
    """Show the notes, terms and references of a connection; empty ones if nobody told any."""
    return _answer_context(connection_id, runtime().knowledge.read_context(security.get_owner(), connection_id))


@blueprint.put("/<connection_id>/context", parameters=NAMED)
@blueprint.arguments(ContextSchema, example=CONTEXT_EXAMPLE)
@blueprint.response(200, ContextSchema, example=CONTEXT_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 503, 504)
def put_context(payload: dict[str, Any], connection_id: str) -> Response:
    """Keep notes, terms and references in place of those that there were.

    Refused with 400, and all the others with it: a term whose SQL cannot be read in the connection's dialect, and a
    new reference whose columns the database does not hold or cannot compare.
    """
    context = BusinessContext(
        payload["notes"].strip(),
        tuple(_read_term(term) for term in payload["terms"]),
        tuple(Reference(reference["from"], reference["to"]) for reference in payload["references"]),
    )
    runtime().knowledge_editor.put_context(security.get_owner(), connection_id, context, security.get_claims())
    return _answer_context(connection_id, context)


@blueprint.get("/<connection_id>/examples", parameters=NAMED)
@blueprint.response(200, ExamplesSchema, example={"examples": [TAUGHT_EXAMPLE]})
@blueprint.fails(401, 404, 503, 504)
def list_examples(connection_id: str) -> Response:
    """List the verified examples of a connection, at most 200, the newest first."""
    catalog = runtime().manager.open(security.get_owner(), connection_id, security.get_claims()).catalog
    examples = runtime().knowledge.list_examples(security.get_owner(), connection_id, catalog)
    return answer({"examples": [render_example(example, stale=is_stale) for example, is_stale in examples]})


@blueprint.post("/<connection_id>/examples", parameters=NAMED)
@blueprint.arguments(TeachSchema, example=TEACH_EXAMPLE)
@blueprint.response(201, TaughtSchema, example=TAUGHT_EXAMPLE)
@blueprint.alt_response(200, schema=TaughtSchema, example=TAUGHT_EXAMPLE, description="Replaced")
@blueprint.fails(401, 404, 413, 415, 503, 504)
def put_example(payload: dict[str, Any], connection_id: str) -> Response:
    """Keep a question with the SQL that a person found to answer it; the same question again replaces it (200).

    The SQL must be allowed, name what the database holds, and be planned by it; else it is refused with 400 and the
    reason. Asked in the same words, it answers without a model; the nearest ones are shown to the model.
    """
    example, is_new = runtime().knowledge_editor.put_example(
        security.get_owner(),
        connection_id,
        payload["question"].strip(),
        payload["sql"],
        note=(payload["note"] or "").strip(),
        claims=security.get_claims(),
    )
    return answer(render_example(example, stale=False), 201 if is_new else 200)


@blueprint.delete("/<connection_id>/examples/<example_id>", parameters=ONE)
@blueprint.response(200, ForgottenSchema, example={"status": "deleted"})
@blueprint.fails(401, 404, 503)
def delete_example(connection_id: str, example_id: str) -> dict[str, str]:
    """Forget an example."""
    runtime().store.knowledge.delete_example(security.get_owner(), connection_id, _read_id(example_id))
    return {"status": "deleted"}


def _read_term(payload: dict[str, Any]) -> Term:
    name, definition, sql = payload["term"].strip(), payload["definition"].strip(), payload["sql"] or ""
    return Term(name, definition, sql.strip(), tuple(synonym.strip() for synonym in payload["synonyms"]))


def _answer_context(connection_id: str, context: BusinessContext) -> Response:
    stale = runtime().knowledge_editor.find_stale(
        security.get_owner(), connection_id, context.references, security.get_claims()
    )
    references = zip(context.references, stale, strict=True)
    return answer(
        {
            "notes": context.notes,
            "terms": [render_term(term) for term in context.terms],
            "references": [render_reference(each) | {"stale": is_stale} for each, is_stale in references],
        }
    )


def _read_id(text: str) -> UUID | None:
    """Parse an id; None for `latest`. Raises ExampleNotFoundError if it is no UUID."""
    try:
        return None if text == LATEST else UUID(text)
    except ValueError:
        raise ExampleNotFoundError("There is no such example of this connection.") from None
