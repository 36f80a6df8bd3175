"""Finds the JSON objects in a model's text, and repairs common faults in them.

It tries strict JSON first, then a Python literal, then json-repair. A repaired statement counts only if it stands
complete and closed in the text: a repair may leave out a part of a string, and half a statement must not run.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import json_repair

DECODER = json.JSONDecoder(strict=False)  # models leave raw line breaks in strings
START = re.compile(r"\{\s*(?:\\?[\"'“”‘’]|\w+\s*[:=])|\[\s*\{\s*[\"'“]")
STATEMENT_KEY = re.compile(r"[\"'“”‘’{,\s](?:\w*sql\w*|query|statement)\\?[\"'“”‘’]?\s*[:=]", re.IGNORECASE)
MOST_OBJECTS, MOST_REPAIRS = 50, 8
TICKS = re.compile(r"(?<=:)\s*`([^`]*)`(?=\s*[,}])")
JOINED = re.compile(r'(?<!\\)"\s*\+\s*"')
UNKNOWN_ESCAPE = re.compile(r"\\([_*%#()\[\]<>~|.=!-])")
SPACES = re.compile(r"\\[nrt]|[\s\\]+")
CLOSED = r";*[\"'“”‘’`]{1,3}(?:[,}\]/#]|$|[\"'“”‘’`]\w+[\"'“”‘’`]:)"
"""The end of a member's text, in a text without spaces."""
STATEMENT = re.compile(r"\W*(?:SELECT|WITH|FROM|VALUES|TABLE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ObjectSpan:
    """One object in a text, from `start` to `end`; `value` is None if it begins as an answer and cannot be read."""

    start: int
    end: int
    value: Any


def find_objects(text: str) -> Iterator[ObjectSpan]:
    """Yield the outermost objects, and lists of objects, of `text` in their order."""
    position = repairs = 0
    for _ in range(MOST_OBJECTS):  # each try may read to the end of the text
        opening = START.search(text, position)
        if opening is None:
            return
        start = opening.start()
        try:
            value, position = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end, is_closed = _find_object_end(text, start)
            raw, value = text[start:end], None
            if STATEMENT_KEY.search(raw) and repairs < MOST_REPAIRS:
                repairs += 1
                value = repair_object(raw)
                if not is_closed and not any(_find_statements(value)):  # the missing part may be the statement
                    value = None
                yield ObjectSpan(start, end, value)
            position = end if value is not None or not is_closed else start + 1
            continue
        yield ObjectSpan(start, position, value)


def repair_object(raw: str) -> Any:
    """Return the value of an object that is not strict JSON; None if it cannot be read with certainty."""
    if re.match(r"[{\[]\s*\\\"", raw):  # escaped once too often
        raw = raw.replace('\\"', '"').replace("\\\\", "\\")
    raw = TICKS.sub(lambda m: json.dumps(m[1]), JOINED.sub("", UNKNOWN_ESCAPE.sub(r"\1", raw)))
    for load in (DECODER.decode, ast.literal_eval):
        try:
            return load(raw)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    try:
        value = json_repair.loads(raw, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and value and _stands_in(raw, value) else None


def _stands_in(raw: str, value: Any) -> bool:
    """Does each statement in `value` stand complete and closed in `raw`, ignoring spaces and backslashes?"""
    squeezed = SPACES.sub("", raw)
    return all(
        re.search(re.escape(SPACES.sub("", statement)) + CLOSED, squeezed) for statement in _find_statements(value)
    )


def _find_statements(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _find_statements(member)
    elif isinstance(value, str) and STATEMENT.match(value):
        yield value


def _find_object_end(text: str, start: int) -> tuple[int, bool]:
    """Return the end of the object at `start`, and whether a bracket closes it; else it ends at the next object."""
    depth, quote, place = 0, "", start
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            place += 1
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "{[":
            depth += 1
        elif letter in "}]":
            depth -= 1
            if depth == 0:
                return place + 1, True
        place += 1
    following = re.compile(r"(?<![:\[,])\s\{\s*[\"'“]").search(text, start + 1)
    fence = text.find("```", start)
    ends = [end for end in (following.start() if following else -1, fence) if end > 0]
    return min(ends, default=len(text)), False
