"""Reads the text of a vendor's message in all shapes that servers send: text, parts, tool calls.

Servers mix the shapes of both vendors, and the SDKs check none of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlchat.providers.reading import join_parts

CUT = frozenset({"length", "max_tokens", "model_length", "model_context_window_exceeded"})
"""Finish reasons of an incomplete answer, in lower case."""
STOPPED = frozenset({"content_filter", "safety", "refusal"})
THOUGHT = re.compile("think|reason|analysis", re.IGNORECASE)
UNREAD = re.compile(rf"{THOUGHT.pattern}|server_tool|tool_result", re.IGNORECASE)
"""Types of parts that hold no answer."""
TEXTS = ("text", "content", "value", "output_text")
ELSEWHERE = ("parsed", "text", "output_text", "output", "answer", "response", "result")
"""Members for an answer of a message without content."""
THOUGHTS = ("thinking", "reasoning", "text", "content", "summary")


def read_content(content: Any) -> str:
    """Return the text of a message's `content` (a text, a part or a list of parts), without thoughts."""
    return join_parts(list(_find_texts(content)))


def read_thought_parts(content: Any) -> str:
    """Return the text of the parts that hold thoughts; a plain text counts as a thought."""
    return "\n".join(_find_thoughts(content))


def read_arguments(calls: Any) -> str:
    """Return the arguments of a message's tool calls, one JSON object a line."""
    texts = []
    for call in calls if isinstance(calls, list) else [calls]:
        function = _get_member(call, "function") or _get_member(call, "custom") or call
        arguments = _get_first_member(function, ("arguments", "input", "partial_json")) or ""
        texts.append(arguments if isinstance(arguments, str) else _write_json(arguments))
    return "\n".join(filter(None, texts))


def read_elsewhere(*holders: Any) -> str:
    """Return the first text in the members that some servers use for answers instead of a message's content."""
    members = (_get_member(holder, name) for holder in holders for name in ELSEWHERE)
    return next(filter(None, map(read_content, members)), "")


def read_refusal(content: Any) -> str:
    """Return the words of the part that is a refusal; "" if there is none."""
    parts = content if isinstance(content, list) else []
    return next((words for part in parts if isinstance(words := _get_member(part, "refusal"), str)), "")


def _find_texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _find_texts(part)
    elif content is not None and not UNREAD.search(kind := str(_get_member(content, "type") or "")):
        if "tool" in kind or "function" in kind:
            yield read_arguments(content)
        elif member := _get_first_member(content, TEXTS):
            yield from _find_texts(member)
        elif isinstance(content, dict) and not kind:
            yield _write_json(content)


def _find_thoughts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, str) or THOUGHT.search(str(_get_member(part, "type") or "")):
                yield from _find_thoughts(part)
    elif member := _get_first_member(content, THOUGHTS):
        yield from _find_thoughts(member)


def _write_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return ""


def _get_first_member(value: Any, names: Sequence[str]) -> Any:
    """Return the first of the named members that is not empty; None if there is none."""
    return next(filter(None, (_get_member(value, name) for name in names)), None)


def _get_member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
