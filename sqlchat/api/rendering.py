"""Renders our data classes as the JSON of answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from sqlchat.chat.answer import Answer, Basis, Drafted, Ran, Stage
from sqlchat.connections.base import Results
from sqlchat.sql.catalog import ForeignKey
from sqlchat.sql.examine import Examination
from sqlchat.sql.lineage import Lineage
from sqlchat.store import Entry, Example, Term
from sqlchat.store.feedback import Feedback
from sqlchat.store.knowledge import Reference


def render_results(results: Results) -> dict[str, Any]:
    """Return the members of a result; its rows are JSON bytes already."""
    return {
        "columns": results.columns,
        "rows": orjson.Fragment(results.rows),
        "row_count": results.row_count,
        "truncated": results.truncated,
        "types": results.types,
    }


def render_source(key: ForeignKey) -> dict[str, Any]:
    return {"inferred": key.inferred, "source": key.source}


def render_lineage(lineage: Lineage) -> dict[str, Any]:
    return asdict(lineage)


def render_stage(stage: Stage) -> tuple[str, dict[str, Any]]:
    """Return the name and the data of the stage's event."""
    match stage:
        case Basis():
            return "context", render_basis(stage) | {"tables_shown": stage.tables_shown}
        case Drafted():
            return "sql", asdict(stage)
        case Examination():
            return "checked", {"sql": stage.sql, "lineage": render_lineage(stage.lineage)}
        case Ran():
            return "results", render_results(stage.results)
        case Answer():
            return "answer", render_answer(stage)


def render_basis(basis: Basis) -> dict[str, Any]:
    return {
        "values_matched": [
            {"words": match.words, "table": _write_table(match.path), "column": match.path[2], "value": match.value}
            for match in basis.values_matched
        ],
        "terms_used": basis.terms_used,
        "examples_used": basis.examples_used,
        "tables_omitted": basis.tables_omitted,
        "privacy": basis.privacy,
        "sent": basis.sent,
        "catalog_version": basis.catalog_version,
    }


def _write_table(path: tuple[str, str, str]) -> str:
    schema, table, _ = path
    return f"{schema}.{table}" if schema else table


def render_answer(reply: Answer) -> dict[str, Any]:
    tokens = reply.tokens
    return {
        "sql": reply.sql,
        "provider": reply.provider,
        "model": reply.model,
        "tokens": {"prompt": tokens.prompt, "completion": tokens.completion, "total": tokens.total},
        "results": None if reply.results is None else render_results(reply.results),
        "chart": asdict(reply.chart) if reply.chart else None,
        "executed_sql": reply.executed_sql,
        "explanation": reply.explanation,
        "interpretation": reply.interpretation,
        "assumptions": reply.assumptions,
        "warnings": reply.warnings,
        "lineage": render_lineage(reply.lineage),
        **render_basis(reply.basis),
        "conversation_id": reply.conversation,
        "history_id": reply.history,
        "agreement": asdict(reply.agreement) if reply.agreement else None,
        "attempts": reply.attempts,
        "cost_usd": reply.cost_usd,
        "timings": reply.timings,
    }


def render_entry(entry: Entry, feedback: Feedback | None) -> dict[str, Any]:
    prompt, completion = entry.prompt_tokens, entry.completion_tokens
    return {
        "id": entry.id,
        "at": entry.at,
        "user_id": entry.user_id,
        "connection_id": entry.connection_id,
        "route": entry.route,
        "question": entry.question,
        "sql": entry.sql,
        "provider": entry.provider,
        "model": entry.model,
        "outcome": entry.outcome,
        "status": entry.status,
        "row_count": entry.row_count,
        "ms": entry.ms,
        "tokens": {"prompt": prompt, "completion": completion, "total": prompt + completion},
        "request_id": entry.request_id,
        "conversation_id": entry.conversation_id,
        "interpretation": entry.interpretation,
        "feedback": render_feedback(feedback) if feedback else None,
    }


def render_feedback(feedback: Feedback) -> dict[str, Any]:
    return {
        "rating": feedback.rating,
        "comment": feedback.comment or None,
        "corrected_sql": feedback.corrected_sql or None,
        "at": feedback.at,
    }


def render_example(example: Example, *, stale: bool) -> dict[str, Any]:
    return {
        "id": example.id,
        "question": example.question,
        "sql": example.sql,
        "note": example.note or None,
        "verified_at": example.verified_at,
        "stale": stale,
    }


def render_term(term: Term) -> dict[str, Any]:
    return asdict(term) | {"sql": term.sql or None}


def render_reference(reference: Reference) -> dict[str, Any]:
    sides = {"from": reference.columns, "to": reference.ref_columns}
    return {side: names if len(names) > 1 else names[0] for side, names in sides.items()}
