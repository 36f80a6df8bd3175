"""Our own data as the JSON that the contract shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from sqlchat.chat.pipeline import Answer
from sqlchat.connections.base import Results
from sqlchat.sql.lineage import Lineage
from sqlchat.store import Entry


def render_results(results: Results) -> dict[str, Any]:
    """The rows stay the bytes that they are."""
    return {
        "columns": results.columns,
        "rows": orjson.Fragment(results.rows),
        "row_count": results.row_count,
        "truncated": results.truncated,
        "types": results.types,
    }


def render_lineage(lineage: Lineage) -> dict[str, Any]:
    return asdict(lineage)


def render_answer(reply: Answer) -> dict[str, Any]:
    tokens = reply.tokens
    return {
        "sql": reply.sql,
        "provider": reply.provider,
        "model": reply.model,
        "tokens": {"prompt": tokens.prompt, "completion": tokens.completion, "total": tokens.total},
        "results": None if reply.results is None else render_results(reply.results),
        "explanation": reply.explanation,
        "assumptions": reply.assumptions,
        "warnings": reply.warnings,
        "lineage": render_lineage(reply.lineage),
        "attempts": reply.attempts,
        "timings": reply.timings,
    }


def render_entry(entry: Entry) -> dict[str, Any]:
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
    }
