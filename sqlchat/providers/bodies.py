"""Repairs the bodies of servers that break their protocol, so that the vendors' SDKs can read them.

Such servers send an event stream though none was asked for, an error with status 200, or bytes that are not UTF-8.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2

COMMENT = re.compile(r"^:.*\n?", re.MULTILINE)
"""A line with which servers of event streams keep a connection open."""
EVENT = re.compile(r"^data:\s*(\{.*)$", re.MULTILINE)
FIXED = frozenset({"id", "object", "model", "role", "type", "name", "finish_reason", "stop_reason"})
"""Members whose texts come complete in one event; other texts come in pieces."""
BAD_GATEWAY = 502


def repair_response(response: httpx2.Response) -> httpx2.Response:
    """Return `response`, or a copy whose status and body follow the protocol."""
    text = response.content.decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = _join_events(text)
    if not isinstance(body, dict):
        return response
    error, status = _find_error(body), response.status_code
    if error and not response.is_error:
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else BAD_GATEWAY
        body = {"error": error if isinstance(error, dict) else {"message": str(error)}}
    elif text.startswith("{") and "\ufffd" not in text:
        return response
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    repaired = httpx2.Response(status, headers=headers, json=body, request=response.request)
    repaired.history = response.history
    return repaired


def _find_error(body: dict[str, Any]) -> Any:
    """Return the error of an answer, or of its first choice; None if there is none."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return body.get("error") or (first.get("error") if isinstance(first, dict) else None)


def _join_events(text: str) -> Any:
    """Join the events of a stream, of either protocol, into one answer; None if `text` is no stream.

    For example, the deltas `{"content": "SELECT"}` and `{"content": " 1"}` make the message
    `{"content": "SELECT 1"}`.
    """
    text = COMMENT.sub("", text)
    joined: dict[str, Any] = {}
    try:
        for event in [json.loads(event[1]) for event in EVENT.finditer(text)] or [json.loads(text)]:
            _merge(joined, _read_event(event))
        for choice in joined.get("choices", ()):
            choice.setdefault("message", choice.pop("delta", {}))
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):  # broken off, or of another protocol
        return None
    return joined


def _read_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the part of an answer in an event."""
    block = event.get("content_block") or event.get("delta")
    if "index" in event and block:
        return {"content": [{**block, "type": block["type"].replace("_delta", ""), "index": event["index"]}]}
    if "delta" in event:
        return {**event["delta"], "usage": event.get("usage")}
    if "type" in event and "error" not in event:
        return event.get("message") or {}
    return event


def _merge(whole: dict[str, Any], part: dict[str, Any]) -> None:
    """Add `part` to `whole`: texts are joined, lists by the `index` of their members."""
    for name, value in part.items():
        before = whole.get(name)
        if isinstance(value, dict):
            whole[name] = before or {}
            _merge(whole[name], value)
        elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
            members = {each.get("index", place): each for place, each in enumerate(before or [])}
            for each in value:
                _merge(members.setdefault(each.get("index", len(members)), {}), each)
            whole[name] = list(members.values())
        elif isinstance(value, str) and isinstance(before, str) and name not in FIXED:
            whole[name] = before + value
        elif value is not None and not (before and name == "type"):
            whole[name] = value
