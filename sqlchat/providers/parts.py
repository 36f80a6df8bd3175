"""Gets the text out of a vendor's message, in the shapes that servers send: text, parts, calls of a tool.

Servers mix the shapes of both vendors, and the SDKs check none of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sqlchat.providers.reading import join_parts

CUT = frozenset({"length", "max_tokens", "model_length", "model_context_window_exceeded"})
"""Reasons for which an answer ends before its end, in lower case."""
STOPPED = frozenset({"content_filter", "safety", "refusal"})
THOUGHT = re.compile("think|reason|analysis", re.IGNORECASE)
UNREAD = re.compile(rf"{THOUGHT.pattern}|server_tool|tool_result", re.IGNORECASE)
"""Types of parts that hold no answer."""
TEXTS = ("text", "content", "value", "output_text")
ELSEWHERE = ("parsed", "text", "output_text", "output", "answer", "response", "result")
"""Members for an answer of a message without content."""
THOUGHTS = ("thinking", "reasoning", "text", "content", "summary")


def read_content(content: Any) -> str:
    """The text of a message's `content`: text, a part or a list of parts; parts with thoughts are left out."""
    return join_parts(list(_find_texts(content)))


def read_thought_parts(content: Any) -> str:
    """The text of the parts that hold thoughts; a text as such is taken for one."""
    return "\n".join(_find_thoughts(content))


def read_arguments(calls: Any) -> str:
    """The arguments of a message's calls of tools, one JSON object a line."""
    found = []
    for call in calls if isinstance(calls, list) else [calls]:
        function = _get_member(call, "function") or _get_member(call, "custom") or call
        arguments = next(
            (each for name in ("arguments", "input", "partial_json") if (each := _get_member(function, name))), ""
        )
        found.append(arguments if isinstance(arguments, str) else _write_json(arguments))
    return "\n".join(filter(None, found))


def read_elsewhere(*holders: Any) -> str:
    """The text of the first member, of a message or of what is around it, in which servers put answers instead."""
    found = (_get_member(holder, name) for holder in holders for name in ELSEWHERE)
    return next(filter(None, map(read_content, found)), "")


def read_refusal(content: Any) -> str:
    """The words of a part that refuses; "" if there is none."""
    parts = content if isinstance(content, list) else []
    return next((member for part in parts if isinstance(member := _get_member(part, "refusal"), str)), "")


def _find_texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _find_texts(part)
    elif content is not None and not UNREAD.search(kind := str(_get_member(content, "type") or "")):
        if "tool" in kind or "function" in kind:
            yield read_arguments(content)
        elif member := next((each for name in TEXTS if (each := _get_member(content, name))), None):
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
    elif member := next((each for name in THOUGHTS if (each := _get_member(content, name))), None):
        yield from _find_thoughts(member)


def _write_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return ""


def _get_member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
