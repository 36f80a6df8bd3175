"""Reads questions with their gold SQL from JSON lines, and writes feedback as such."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlchat.errors import PayloadError
from sqlchat.store import Store

NOTES = ("notes", "instructions", "evidence")
"""Keys of the notes on a question: ours, Defog's and BIRD's."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question and the SQL that answers it."""

    id: str
    question: str
    golds: tuple[str, ...]
    """SQL with the right rows, the preferred one first; empty if the data cannot answer the question."""
    notes: str = ""
    """The asker's notes on the question."""
    db: str = ""
    """Fills `{db}` in the name of a connection."""
    answerable: bool = True
    """False: the right answer is a refusal."""


def read_cases(path: Path) -> list[Case]:
    """Read the cases in `path`, in order. Raises PayloadError that names the line."""
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as exc:
        raise PayloadError(f"{path.name} is not UTF-8; save it as that.") from exc
    cases = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                cases.append(_read_case(json.loads(line), number))
            except (ValueError, TypeError) as exc:
                raise PayloadError(f"Line {number} of {path.name}: {exc}") from exc
    if not cases:
        raise PayloadError(f"{path.name} holds no questions; write one JSON object a line.")
    return cases


def collect_cases(store: Store, owner: str, connection_id: str) -> tuple[list[dict[str, Any]], int]:
    """Return rows for `read_cases` from good and corrected answers, and the number of answers that are left out.

    Bad answers without a correction are left out, and follow-ups, which make no sense alone. Raises
    StoreUnavailableError.
    """
    cases, left_out = [], 0
    for entry, feedback in store.feedback.list(owner, connection_id):
        gold = feedback.corrected_sql or (entry.sql if feedback.rating == "good" and entry.outcome == "ok" else "")
        if not gold or not entry.question or store.history.is_follow_up(entry):
            left_out += 1
            continue
        case = {"id": str(entry.id), "question": entry.question, "gold_sql": gold, "rating": feedback.rating}
        cases.append(case | ({"comment": feedback.comment} if feedback.comment else {}))
    return cases, left_out


def _read_case(row: Any, number: int) -> Case:
    if not isinstance(row, dict):
        raise TypeError("each line must be a JSON object.")
    answerable = row.get("answerable", True)
    if not isinstance(answerable, bool):
        raise TypeError("`answerable` must be true or false.")
    golds: tuple[str, ...] = ()
    if answerable:
        alternatives = row.get("gold_alternatives") or []
        if not isinstance(alternatives, list) or not all(isinstance(sql, str) for sql in alternatives):
            raise TypeError("`gold_alternatives` must be a list of SQL texts.")
        golds = (_read_text(row, "gold_sql"), *alternatives)
    db = row.get("db")
    return Case(
        id=str(row.get("id", number)),
        question=_read_text(row, "question"),
        golds=golds,
        notes=next((_read_text(row, name) for name in NOTES if row.get(name)), ""),
        db="" if db is None else str(db),
        answerable=answerable,
    )


def _read_text(row: Mapping[str, Any], name: str) -> str:
    text = row.get(name)
    if not isinstance(text, str) or not text.strip():
        raise TypeError(f"`{name}` must be a text.")
    return text
