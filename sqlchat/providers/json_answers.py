"""Finds the answers in JSON values: SQL, or a refusal or question back, in members of many names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlchat.providers.objects import repair_object
from sqlchat.providers.phrases import DECLINES
from sqlchat.providers.statements import ANY, NO_STATEMENT, PLACEHOLDER, READING, clean

SQL_KEYS = ("sql", "sqlquery", "query", "sqlstatement", "statement", "sqlcode", "queries", "sqlqueries", "statements")
NAMES_SQL = re.compile(r"(?:sql|query|statement)\Z")
"""Other members that hold a statement, such as `corrected_sql`; tried after SQL_KEYS."""
LOOSE_KEYS = ("code", "answer", "finalanswer", "result", "response", "output", "value", "text", "content", "final")
"""Hold a statement only if their text begins as one."""
ABOUT_KEYS = {
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
    "followupquestion",
)
WORDED_KEYS = ("message", "reason", "answer", "response", "explanation", "note")
"""Hold a refusal or a question back only if their text reads as one."""
NULLS = {"", "none", "null", "nil", "n/a", "na", "-", "undefined", "no query", "not applicable", "not possible"}
TEMPLATE = re.compile(
    r"(?:string|text|str)(?:\s*(?:or|\||/)\s*null)?|\.\.\.|…|<[^<>]*>|your (?:sql|query).*", re.IGNORECASE
)
DISCARDED = re.compile(
    r"draft|thought|think|reason|analysis|alternative|wrong|reject|attempt|previous|scratch|original|\bold|initial|incorrect|invalid|before",
    re.IGNORECASE,
)
"""Names of members whose statements are no answers."""
FINAL = re.compile(r"final|correct|revised|fixed|improved|chosen|best", re.IGNORECASE)
"""Names of members that win over others with statements."""
DEEPEST = 4


def find_answers(value: Any, depth: int = 0) -> list[dict[str, Any]]:
    """Return the answers in a JSON `value`, each with `sql` (text or None) and its explanation.

    `{"SQL": "SELECT 1"}`, `{"answer": {"query": "SELECT 1"}}` and `[{"sql": "SELECT 1"}]` hold one each. An echo of
    the format, `{"sql": "string or null"}`, holds none.
    """
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = repair_object(value.strip())
    if depth > DEEPEST or not isinstance(value, dict | list):
        return []
    if isinstance(value, list):
        return [answer for each in value for answer in find_answers(each, depth + 1)]
    members = {re.sub(r"[\W_]", "", str(key)).lower(): each for key, each in value.items()}
    about = {name: each for name, keys in ABOUT_KEYS.items() if (each := _find_first(members, keys)) is not None}
    named = [key for key in members if NAMES_SQL.search(key) and not DISCARDED.search(key) and key not in SQL_KEYS]
    for key in (*(key for key in named if FINAL.search(key) and members[key]), *SQL_KEYS, *named):
        if key in members and (answers := _collect_statements(members[key], about, depth)):
            refusal = {} if about.get("explanation") else {"explanation": _find_refusal(members)}
            return [answer if answer["sql"] else refusal | answer for answer in answers]
    for key in LOOSE_KEYS:
        text = members.get(key)
        if isinstance(text, str) and ANY.match(clean(text)) and not PLACEHOLDER.match(text):
            return [{"sql": text, **about}]
    nested = {str(key): answers for key, each in value.items() if (answers := find_answers(each, depth + 1))}
    keys = [key for key in nested if FINAL.search(key)] or [key for key in nested if not DISCARDED.search(key)]
    if keys:
        return [about | answer for key in keys for answer in nested[key]]
    if any(key in members for key in SQL_KEYS):
        return []
    is_refused = any(members[key] is None for key in LOOSE_KEYS if key in members) or any(
        each is False and re.search("answer|possible|feasible", key) for key, each in members.items()
    )
    if about.get("explanation") and is_refused:
        return [{"sql": None, **about}]
    text = _find_refusal(members)
    return [{"sql": None, "explanation": text}] if text else []


def _find_refusal(members: Mapping[str, Any]) -> str:
    """Return the words in an answer's members that decline or ask back; "" if there are none."""
    text = _find_first(members, DECLINED_KEYS)
    if isinstance(text, str):
        return text
    worded = (members.get(key) for key in WORDED_KEYS)
    return next((each for each in worded if isinstance(each, str) and DECLINES.search(each)), "")


def _collect_statements(member: Any, about: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    """Return the answers in a member whose name promises SQL; `about` holds the explanation beside it."""
    if not member:  # None, false, "", [] or {}
        return [{"sql": None, **about}]
    if isinstance(member, list) and all(isinstance(each, str) for each in member):
        texts = [each for each in member if each.strip()]
        if not all(READING.match(text) for text in texts):
            texts = ["\n".join(texts)]
        return [{"sql": text, **about} for text in texts]
    if not isinstance(member, str) or member.lstrip().startswith("{"):
        return [about | answer for answer in find_answers(member, depth + 1)]
    text = member.strip()
    if TEMPLATE.fullmatch(text) or PLACEHOLDER.match(text):
        return []
    if text.lower().strip(" .;") in NULLS or (NO_STATEMENT.match(text) and about.get("explanation")):
        return [{"sql": None, **about}]
    if not ANY.match(clean(text)) and DECLINES.search(text):
        return [{"sql": None, **about, "explanation": text}]
    return [{"sql": text, **about}]


def _find_first(members: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((members[key] for key in keys if members.get(key)), None)
