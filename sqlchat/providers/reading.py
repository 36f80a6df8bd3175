"""Reads SQL out of what a model wrote: JSON as it was asked for, or the next best thing that it gave instead.

Pure functions over text, used by the model vendors' files and by the pipeline. What comes out is still a stranger's
SQL: it is parsed, guarded and run read-only by others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlchat.errors import ModelError
from sqlchat.providers.base import Draft, Tokens

END_OF_THOUGHTS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
FENCE = re.compile(r"```[ \t]*(\w*)[^\n`]*\n(.*?)```", re.DOTALL)
STATEMENT = re.compile(r"^[ \t]*(?:SELECT\b|WITH\s+(?:RECURSIVE\s+)?[\w\"`\[\]]+\s*(?:\(|AS\b))", re.I | re.M)
STATEMENT_END = re.compile(r";[ \t]*(?:\n|$)")
MOST_OBJECTS = 50
LONGEST_ANSWER, LONGEST_EXPLANATION = 60_000, 2000  # characters
MOST_ASSUMPTIONS = 10
NO_TOKENS = Tokens()


@dataclass(frozen=True, slots=True)
class Reading:
    sql: str | None
    explanation: str
    interpretation: str = ""
    assumptions: tuple[str, ...] = ()

    def draft(self, model: str, tokens: Tokens = NO_TOKENS) -> Draft:
        """As what `model` answered."""
        return Draft(self.sql, self.explanation, model, tokens, self.assumptions, self.interpretation)


def read(text: str) -> Reading:
    """The SQL and what is said of it in an answer's `text`.

    Takes the JSON object that was asked for, bare, fenced or amid prose; else a fenced block of SQL; else a statement
    that begins a line. Raises ModelError where there is none of these.
    """
    if len(text) > LONGEST_ANSWER:
        raise ModelError(f"The model answered with {len(text):,} characters, far more than one statement takes.")
    text = END_OF_THOUGHTS.split(text)[-1].strip()  # local models think aloud first, some without an opening tag
    fenced = [(m[1].lower(), m[2].strip()) for m in FENCE.finditer(text)]
    for candidate in (text, *(block for _, block in fenced)):
        answer = _object(candidate)
        if answer is not None:
            return _reading(answer)
    for answer in _objects_within(text):
        return _reading(answer)
    prose = FENCE.sub("", text).strip()
    for language, block in fenced:
        if language == "sql" or STATEMENT.match(block):
            return Reading(bare(block) or None, _excerpt(prose))
    if found := STATEMENT.search(text):
        return Reading(bare(_statement(text[found.start() :])), _excerpt(text[: found.start()]))
    raise ModelError(f"The model answered with text in which no SQL was found: {_excerpt(text) or '(empty)'}")


def bare(sql: str) -> str:
    """`sql` without the fence around it and the semicolons behind it."""
    sql = sql.strip()
    if fence := FENCE.fullmatch(sql):
        sql = fence[2].strip()
    while sql.endswith(";"):
        sql = sql[:-1].rstrip()
    return sql


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        answer = json.loads(text, strict=False)  # models leave raw line breaks in strings
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and "sql" in answer else None


def _objects_within(text: str) -> Iterator[dict[str, Any]]:
    decoder, start = json.JSONDecoder(strict=False), text.find("{")
    for _ in range(MOST_OBJECTS):  # each try may read to the end of the text
        if start < 0:
            return
        try:
            answer, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict) and "sql" in answer:
            yield answer
        start = text.find("{", start + 1)


def _reading(answer: dict[str, Any]) -> Reading:
    sql, assumptions = answer["sql"], answer.get("assumptions")
    if not isinstance(sql, str | None):
        raise ModelError("The model answered with JSON whose `sql` is neither text nor null.")
    return Reading(
        _encodable(bare(sql or "")) or None,
        _said(answer.get("explanation")),
        _said(answer.get("interpretation")),
        tuple(filter(None, map(_said, assumptions)))[:MOST_ASSUMPTIONS] if isinstance(assumptions, list) else (),
    )


def _said(text: Any) -> str:
    return _encodable(_excerpt(text, LONGEST_EXPLANATION)) if isinstance(text, str) else ""


def _encodable(text: str) -> str:
    """Without the halves of surrogate pairs that JSON can smuggle in and no database can take."""
    return text.encode("utf-8", "replace").decode()


def _statement(text: str) -> str:
    end = STATEMENT_END.search(text)
    return text[: end.start()] if end else text


def _excerpt(text: str, length: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
