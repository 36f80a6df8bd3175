"""Turns feedback into questions for `flask eval`."""

from __future__ import annotations

from typing import Any

from sqlchat.store import Store


def collect_cases(store: Store, owner: str, connection_id: str) -> tuple[list[dict[str, Any]], int]:
    """Rows for `read_cases`, of answers that are good or were corrected, and how many others there are.

    Left out are answers that are bad without a correction, and follow-ups, which say nothing by themselves. Raises
    StoreUnavailableError.
    """
    cases, left_out = [], 0
    for entry, said in store.feedback.list(owner, connection_id):
        gold = said.corrected_sql or (entry.sql if said.rating == "good" and entry.outcome == "ok" else "")
        if not gold or not entry.question or store.history.is_follow_up(entry):
            left_out += 1
            continue
        case = {"id": str(entry.id), "question": entry.question, "gold_sql": gold, "rating": said.rating}
        cases.append(case | ({"comment": said.comment} if said.comment else {}))
    return cases, left_out
