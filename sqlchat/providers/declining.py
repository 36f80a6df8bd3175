"""Finds answers in JSON values of many shapes, and tells the words with which a model declines or asks back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlchat.providers.objects import repair_object
from sqlchat.providers.statements import ANY, PLACEHOLDER, READING, clean

SQL_KEYS = (
    "sql",
    "sqlquery",
    "query",
    "sqlstatement",
    "statement",
    "finalsql",
    "finalquery",
    "generatedsql",
    "sqlcode",
    "queries",
    "sqlqueries",
    "statements",
)
LOOSE_KEYS = ("code", "answer", "finalanswer", "result", "response", "output", "value", "text", "content", "final")
"""Hold a statement only if their text begins as one."""
TOLD_KEYS = {
    "explanation": ("explanation", "reason", "description", "comment", "message", "note"),
    "interpretation": ("interpretation",),
    "assumptions": ("assumptions",),
}
DECLINED_KEYS = (
    "error",
    "refusal",
    "clarification",
    "clarifyingquestion",
    "question",
    "followup",
    "message",
    "reason",
)
NULLS = {"", "none", "null", "nil", "n/a", "na", "-", "undefined", "no query", "not applicable", "not possible"}
TEMPLATE = re.compile(
    r"(?:string|text|str)(?:\s*(?:or|\||/)\s*null)?|\.\.\.|…|<[^<>]*>|your (?:sql|query).*", re.IGNORECASE
)
DECLINES = re.compile(
    r"\?\s*\Z|\?[\"'”)]?\s|\b(?:sorry|apologi[sz]e|cannot|can['’]?t|can not|unable|not able|won['’]?t|impossible"
    r"|not (?:possible|enough|allowed|answerable)|insufficient|refuse|decline|ambiguous|unclear"
    r"|no (?:such |suitable )?(?:table|column|data|information|field)s?"
    r"|(?:do|does|did) ?n[o'’]t (?:have|contain|hold|include|exist|store)"
    r"|(?:do|does) not (?:have|contain|hold|include|exist|store)|is not (?:in|part of|available|stored)"
    r"|(?:please|could you) (?:clarify|specify|tell|provide|rephrase)|need (?:more|further|to know)"
    r"|lo siento|no puedo|désolé|je ne peux pas|tut mir leid|kann (?:ich )?nicht)\b",
    re.IGNORECASE,
)
"""Words with which a model declines, or asks back."""
DISCARDED = re.compile(r"draft|thought|think|wrong|reject|attempt|previous|scratch", re.IGNORECASE)
"""Names of members whose statements are no answers."""
DEEPEST = 4


def find_answers(value: Any, depth: int = 0) -> list[dict[str, Any]]:
    """The answers in a JSON `value`, each with `sql` (text or None) and what is told with it.

    `{"SQL": "SELECT 1"}`, `{"answer": {"query": "SELECT 1"}}` and `[{"sql": "SELECT 1"}]` hold one each; a format
    that is echoed, `{"sql": "string or null"}`, holds none.
    """
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = repair_object(value.strip())
    if depth > DEEPEST or not isinstance(value, dict | list):
        return []
    if isinstance(value, list):
        return [answer for each in value for answer in find_answers(each, depth + 1)]
    members = {re.sub(r"[\W_]", "", str(key)).lower(): each for key, each in value.items()}
    told = {name: each for name, keys in TOLD_KEYS.items() if (each := _first(members, keys)) is not None}
    for key in SQL_KEYS:
        if key in members and (found := _with_statement(members[key], told, depth)):
            return found
    for key in LOOSE_KEYS:
        said = members.get(key)
        if isinstance(said, str) and ANY.match(clean(said)) and not PLACEHOLDER.match(said):
            return [{"sql": said, **told}]
    nested = [
        answer
        for key, each in value.items()
        if not DISCARDED.search(str(key))
        for answer in find_answers(each, depth + 1)
    ]
    if nested:
        return [told | answer for answer in nested]
    if any(key in members for key in SQL_KEYS):
        return []
    declined = _first(members, DECLINED_KEYS)
    if isinstance(declined, str) and DECLINES.search(declined):
        return [{"sql": None, "explanation": declined}]
    return []


def _with_statement(said: Any, told: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    if said is None:
        return [{"sql": None, **told}]
    if isinstance(said, list):
        texts = [each for each in said if isinstance(each, str) and each.strip()]
        if len(texts) < len(said) or not texts:
            return [told | answer for answer in find_answers(said, depth + 1)]
        if all(READING.match(text) for text in texts):
            return [{"sql": text, **told} for text in texts]
        return [{"sql": "\n".join(texts), **told}]
    if not isinstance(said, str):
        return [told | answer for answer in find_answers(said, depth + 1)]
    if said.lstrip().startswith("{"):
        return [told | answer for answer in find_answers(said, depth + 1)]
    text = said.strip()
    if text.lower().strip(" .;") in NULLS:
        return [{"sql": None, **told}]
    if TEMPLATE.fullmatch(text) or PLACEHOLDER.match(text):
        return []
    if not ANY.match(clean(text)) and DECLINES.search(text):
        return [{"sql": None, **told, "explanation": text}]
    return [{"sql": text, **told}]


def _first(members: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((members[key] for key in keys if members.get(key)), None)
