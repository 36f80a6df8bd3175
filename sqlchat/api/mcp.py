"""`/mcp`: serves the Model Context Protocol on one stateless route, as a tool for assistants.

Takes JSON-RPC 2.0 by POST and answers plain JSON. It speaks the protocol of 2025, with its handshake (`initialize`),
and that of 2026, in which each request names its version in `params._meta`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response, request

import sqlchat
from sqlchat.api import security
from sqlchat.api.mcp_tools import TOOLS, call_tool
from sqlchat.api.resource import answer, runtime
from sqlchat.errors import ForbiddenError, NotFoundError, PayloadError

blueprint = Blueprint("mcp", __name__)

HANDSHAKE_VERSIONS = ("2025-06-18", "2025-11-25")
MODERN_VERSIONS = ("2026-07-28",)
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
METADATA_PATH = "/.well-known/oauth-protected-resource"
INSTRUCTIONS = (
    "Ask a question in plain language with `ask`, or read the catalog with `describe` and run SQL of your own with "
    "`run_sql`. Everything is read-only. Results name how many rows were left out."
)
TOOLS_CHANGE = 3_600_000
"""Milliseconds for which a client may keep the list of tools."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
UNSUPPORTED_VERSION = -32022


class ProtocolError(Exception):
    """A JSON-RPC error about a message. A failure of a tool is no such error but a result."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


@blueprint.before_request
def check_caller() -> None:
    """Refuse pages of other sites, and callers without a token if one is needed. The metadata is for everybody."""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise ForbiddenError("A page of another site may not ask for this.")
    if request.path == "/mcp":
        security.get_owner()


@blueprint.after_request
def tell_where_to_sign_in(response: Response) -> Response:
    if response.status_code == 401:
        url = f"{request.host_url.rstrip('/')}{METADATA_PATH}"
        response.headers["WWW-Authenticate"] = f'Bearer resource_metadata="{url}"'
    return response


@blueprint.get(METADATA_PATH)
@blueprint.get(f"{METADATA_PATH}/mcp")
def show_metadata() -> Response:
    """Name the issuer of the tokens that `/mcp` takes (RFC 9728). Raises NotFoundError if there is none."""
    settings = runtime().settings
    if not settings.supabase_url:
        raise NotFoundError("No issuer of tokens is configured here.")
    return answer(
        {
            "resource": f"{request.host_url}mcp",
            "authorization_servers": [f"{settings.supabase_url.rstrip('/')}/auth/v1"],
            "bearer_methods_supported": ["header"],
        }
    )


@blueprint.post("/mcp")
def receive() -> Response:
    """Answer one message of a client."""
    message: Any = None
    try:
        message = _read_json()
        _check_message(message)
        if "id" not in message:
            return Response(status=202)  # a notification: none has an effect here
        result = _dispatch(message)
    except ProtocolError as exc:
        return _refuse(message, exc)
    return answer({"jsonrpc": "2.0", "id": message["id"], "result": result})


def _read_json() -> Any:
    try:
        return orjson.loads(request.get_data())
    except orjson.JSONDecodeError as exc:
        raise ProtocolError(PARSE_ERROR, f"The body is not JSON: {exc}.") from exc


def _check_message(message: Any) -> None:
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        raise ProtocolError(INVALID_REQUEST, "Send one JSON-RPC 2.0 request.")
    if not _is_id(message.get("id", "")):
        raise ProtocolError(INVALID_REQUEST, "`id` must be a text or a number.")
    if not isinstance(message.get("params", {}), dict):
        raise ProtocolError(INVALID_PARAMS, "`params` must be an object.")


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _dispatch(message: Mapping[str, Any]) -> dict[str, Any]:
    params = message.get("params", {})
    is_modern = _is_modern(params)
    match message["method"]:
        case "initialize" if not is_modern:
            requested = params.get("protocolVersion")
            version = requested if requested in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
            return {"protocolVersion": version, **_describe_server()}
        case "ping" if not is_modern:
            return {}
        case "server/discover":
            result = {"supportedVersions": [*MODERN_VERSIONS], **_describe_server(), **_make_cacheable()}
        case "tools/list":
            tools = [tool.describe() for tool in TOOLS.values()]
            result = {"tools": tools, **(_make_cacheable() if is_modern else {})}
        case "tools/call":
            result = _call(params)
        case method:
            raise ProtocolError(METHOD_NOT_FOUND, f"There is no method {method[:80]!r} here.")
    return {**result, "resultType": "complete"} if is_modern else result


def _is_modern(params: Mapping[str, Any]) -> bool:
    """Whether the request speaks the protocol of 2026. Raises ProtocolError for an unknown version."""
    meta = params.get("_meta")
    own_version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    header_version = request.headers.get("MCP-Protocol-Version")
    supported = [*HANDSHAKE_VERSIONS, *MODERN_VERSIONS]
    for version in (own_version, header_version):
        if version is not None and version not in supported:
            data = {"supported": supported, "requested": str(version)[:80]}
            raise ProtocolError(UNSUPPORTED_VERSION, "This version of the protocol is not spoken here.", data)
    return own_version in MODERN_VERSIONS


def _describe_server() -> dict[str, Any]:
    return {
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "sqlchat", "version": sqlchat.__version__},
        "instructions": INSTRUCTIONS,
    }


def _make_cacheable() -> dict[str, Any]:
    return {"ttlMs": TOOLS_CHANGE, "cacheScope": "private"}


def _call(params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return call_tool(params.get("name"), params.get("arguments") or {})
    except PayloadError as exc:
        raise ProtocolError(INVALID_PARAMS, exc.detail) from exc


def _refuse(message: Any, error: ProtocolError) -> Response:
    """Answer with a JSON-RPC error: 400; an unknown method is 404, or 200 in the protocol of 2025."""
    status = 400
    if error.code == METHOD_NOT_FOUND:
        status = 404 if _is_modern(message.get("params", {})) else 200
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    message_id = message.get("id") if isinstance(message, dict) else None
    return answer({"jsonrpc": "2.0", "id": message_id if _is_id(message_id) else None, "error": body}, status)
