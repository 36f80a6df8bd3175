"""Finds the JSON objects in a model's text, also those with the faults that models make.

Strict JSON first, then a Python literal, then json-repair. A repaired statement counts only if it stands whole and
closed in the text: the repair of a broken string may leave out a part, and half a statement must not run.
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
class Found:
    """One object in a text, at `start` to `end`; `value` is None where it begins as an answer and cannot be read."""

    start: int
    end: int
    value: Any


def find_objects(text: str) -> Iterator[Found]:
    """The objects, and the lists of objects, of `text` in their order; what stands inside one is part of it."""
    position = repairs = 0
    for _ in range(MOST_OBJECTS):  # each try may read to the end of the text
        start = START.search(text, position)
        if start is None:
            return
        at = start.start()
        try:
            value, position = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end, closed = _find_object_end(text, at)
            raw, value = text[at:end], None
            if STATEMENT_KEY.search(raw) and repairs < MOST_REPAIRS:
                repairs += 1
                value = repair_object(raw)
                if not closed and not any(_find_statements(value)):  # what was to come may be the statement
                    value = None
                yield Found(at, end, value)
            position = end if value is not None or not closed else at + 1
            continue
        yield Found(at, position, value)


def repair_object(raw: str) -> Any:
    """The value of `raw`, text like an object that is not strict JSON; None where it cannot be read for sure."""
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
    """Whether each statement in `value` stands whole and closed in `raw`, spaces and backslashes aside."""
    squeezed = SPACES.sub("", raw)
    return all(
        re.search(re.escape(SPACES.sub("", statement)) + CLOSED, squeezed) for statement in _find_statements(value)
    )


def _find_statements(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _find_statements(each)
    elif isinstance(value, str) and STATEMENT.match(value):
        yield value


def _find_object_end(text: str, start: int) -> tuple[int, bool]:
    """The end of the object at `start`, and whether a bracket closes it; if not, it ends before the next object."""
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
