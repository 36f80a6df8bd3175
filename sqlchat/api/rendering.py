"""Renders our data classes as the JSON of answers; the schemas say which members those have."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from sqlchat.chat.answer import Answer, Basis, Drafted, Ran, Stage
from sqlchat.connections.results import Results
from sqlchat.schemas.chat import ChattedSchema, MatchSchema, TokensSchema
from sqlchat.schemas.history import EntrySchema, ShownFeedbackSchema
from sqlchat.schemas.knowledge import TaughtSchema
from sqlchat.schemas.members import render
from sqlchat.sql.examine import Examination
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


def render_stage(stage: Stage) -> tuple[str, dict[str, Any]]:
    """Return the name and the data of the stage's event."""
    match stage:
        case Basis():
            return "context", render_basis(stage)
        case Drafted():
            return "sql", asdict(stage)
        case Examination():
            return "checked", {"sql": stage.sql, "lineage": stage.lineage}
        case Ran():
            return "results", render_results(stage.results)
        case Answer():
            return "answer", render_answer(stage)


def render_basis(basis: Basis) -> dict[str, Any]:
    matches = [
        render(MatchSchema, match, table=_write_table(match.path), column=match.path[2])
        for match in basis.values_matched
    ]
    return asdict(basis) | {"values_matched": matches}


def _write_table(path: tuple[str, str, str]) -> str:
    schema, table, _ = path
    return f"{schema}.{table}" if schema else table


def render_answer(reply: Answer) -> dict[str, Any]:
    computed = render_basis(reply.basis) | {
        "tokens": render(TokensSchema, reply.tokens),
        "results": None if reply.results is None else render_results(reply.results),
        "conversation_id": reply.conversation,
        "history_id": reply.history,
    }
    return render(ChattedSchema, reply, **computed)


def render_entry(entry: Entry, feedback: Feedback | None) -> dict[str, Any]:
    prompt, completion = entry.prompt_tokens, entry.completion_tokens
    tokens = {"prompt": prompt, "completion": completion, "total": prompt + completion}
    return render(EntrySchema, entry, tokens=tokens, feedback=render_feedback(feedback) if feedback else None)


def render_feedback(feedback: Feedback) -> dict[str, Any]:
    comment, corrected = feedback.comment or None, feedback.corrected_sql or None
    return render(ShownFeedbackSchema, feedback, comment=comment, corrected_sql=corrected)


def render_example(example: Example, *, stale: bool) -> dict[str, Any]:
    return render(TaughtSchema, example, note=example.note or None, stale=stale)


def render_term(term: Term) -> dict[str, Any]:
    return asdict(term) | {"sql": term.sql or None}


def render_reference(reference: Reference) -> dict[str, Any]:
    sides = {"from": reference.columns, "to": reference.ref_columns}
    return {side: names if len(names) > 1 else names[0] for side, names in sides.items()}
