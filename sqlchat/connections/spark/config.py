"""Validates the config of a Spark connection: `sc://host:port/;token=...` or fields, and named paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlchat.connections.servers.config import AUTHORITIES, ServerConfig, read_authorities, read_port, read_texts
from sqlchat.errors import ConnectionConfigError

KNOWN = ("host", "port", "user", "sslmode", "catalog", "database", "session_id")
OTHERS = (AUTHORITIES, "headers", "tables", "token")
SSLMODES = ("disable", "verify-full")
PARAMETERS = {"token": "token", "user_id": "user", "session_id": "session_id"}
"""Names of fields by those of a url's parameters."""
IGNORED = frozenset({"user_agent", "grpc_max_message_size"})
HEADER, HEADER_VALUE = re.compile(r"x-[a-z0-9-]{1,100}"), re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,7998}[\x21-\x7e])?")
SESSION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAME = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
PATH = re.compile(r"([a-z][a-z0-9]{1,9}:(//[\w.@-]*)?)?/[\w.=+@/-]*")
"""A single path, without patterns, escapes or queries."""
MOST_TABLES, MOST_HEADERS = 10_000, 20
FORMATS = ("parquet", "csv", "json", "orc", "avro", "delta", "iceberg")
SUFFIXES = {suffix: suffix for suffix in FORMATS[1:5]} | {"tsv": "csv", "jsonl": "json", "ndjson": "json"}


@dataclass(frozen=True, slots=True)
class NamedPath:
    """Files that SQL reads as a table."""

    path: str
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkConfig(ServerConfig):
    token: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    catalog: str = ""
    session_id: str = ""
    """A session to join, with its temporary views; empty for sessions of our own."""
    tables: Mapping[str, NamedPath] = field(default_factory=dict)


def read_config(config: Mapping[str, Any], allowed_paths: Sequence[str]) -> SparkConfig:
    """Validate `config`; its `tables` may name paths below `allowed_paths`.

    Raises ConnectionConfigError, which names the field and shows no secret.
    """
    fields = read_texts(config, [*KNOWN, "url"], OTHERS)
    headers, token = _read_headers(config.get("headers")), config.get("token")
    if url := fields.pop("url", ""):
        parsed, more = _read_url(url)
        if twice := sorted(set(parsed) & {*fields, *(["token"] if token else [])}):
            raise ConnectionConfigError(f"config: {', '.join(twice)} is given both in the url and beside it.")
        token = parsed.pop("token", token)
        fields, headers = read_texts(parsed, list(KNOWN)) | fields, _read_headers(more) | headers
    if not fields.get("host"):
        raise ConnectionConfigError("config: host is missing.")
    authorities = read_authorities(config.get(AUTHORITIES))
    sslmode = fields.pop("sslmode", "") or ("verify-full" if token or authorities else "disable")
    if sslmode not in SSLMODES:
        raise ConnectionConfigError(f"sslmode: must be one of {', '.join(SSLMODES)}.")
    if authorities and sslmode == "disable":
        raise ConnectionConfigError(f"{AUTHORITIES}: needs sslmode verify-full.")
    if token and not (isinstance(token, str) and HEADER_VALUE.fullmatch(token)):
        raise ConnectionConfigError("token: must be a text of plain letters, digits and signs.")
    if fields.get("session_id") and not SESSION.fullmatch(fields["session_id"]):
        raise ConnectionConfigError("session_id: must be a UUID in lower case.")
    return SparkConfig(
        port=read_port(fields.pop("port", ""), 15002),
        token=token or "",
        sslmode=sslmode,
        authorities=authorities,
        headers=tuple(headers.items()),
        tables=_read_tables(config.get("tables"), allowed_paths),
        **fields,
    )


def _read_url(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields and headers of `sc://host:port/;name=value;name=value`."""
    try:
        parts = urlsplit(url.strip())
        fields = {"host": parts.hostname or "", "port": "" if parts.port is None else str(parts.port)}
        path, *parameters = parts.path.split(";")
        parts_of_pairs = [parameter.split("=", 1) for parameter in parameters if parameter]
        pairs = [(name, unquote(value, errors="strict")) for name, value in parts_of_pairs]
    except ValueError:
        raise _make_url_error() from None
    if parts.scheme != "sc" or path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise _make_url_error()
    headers = {}
    for name, value in pairs:
        if name in PARAMETERS:
            fields[PARAMETERS[name]] = value
        elif name == "use_ssl":
            fields["sslmode"] = "verify-full" if value.lower() == "true" else "disable"
        elif name.startswith("x-"):
            headers[name] = value
        elif name not in IGNORED:
            raise ConnectionConfigError(f"url: unknown parameter {name[:60]!r}; leave it out.")
    return {name: value for name, value in fields.items() if value}, headers


def _make_url_error() -> ConnectionConfigError:
    return ConnectionConfigError(
        "url: does not read like sc://host:port/;token=...;use_ssl=true. Signs such as ; / = % of a value must be "
        "percent-encoded; or leave the url out and give host, port and token as fields of their own."
    )


def _read_headers(headers: Any) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping) or len(headers) > MOST_HEADERS:
        raise ConnectionConfigError(f"headers: must be an object of at most {MOST_HEADERS} headers and their values.")
    for name, value in headers.items():
        if not isinstance(name, str) or not HEADER.fullmatch(name):
            raise ConnectionConfigError("headers: each name must be like x-databricks-cluster-id, in lower case.")
        if name.endswith("-bin") or not isinstance(value, str) or not HEADER_VALUE.fullmatch(value):
            raise ConnectionConfigError(f"headers: the value of {name} must be a text of plain letters and signs.")
    return dict(headers)


def _read_tables(paths: Any, allowed_paths: Sequence[str]) -> dict[str, NamedPath]:
    if paths is None:
        return {}
    if not isinstance(paths, Mapping) or len(paths) > MOST_TABLES:
        raise ConnectionConfigError(f"tables: must be an object of at most {MOST_TABLES} names and their paths.")
    tables = {}
    for name, value in paths.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ConnectionConfigError("tables: each name must be of letters, digits and _, as in orders_2024.")
        tables[name] = _read_table(name, value, allowed_paths)
    if len({name.lower() for name in tables}) < len(tables):
        raise ConnectionConfigError("tables: two names differ in their case alone, which Spark does not tell apart.")
    return tables


def _read_table(name: str, value: Any, allowed_paths: Sequence[str]) -> NamedPath:
    fields = {"path": value} if isinstance(value, str) else value
    if not isinstance(fields, Mapping) or not isinstance(path := fields.get("path"), str):
        raise ConnectionConfigError(f"tables: {name} must be a path, or an object with path and format.")
    if unknown := sorted(str(key) for key in fields if key not in ("path", "format")):
        raise ConnectionConfigError(f"tables: {name} has an unknown field {unknown[0][:60]!r}.")
    suffix = path.rstrip("/").rpartition("/")[2].rpartition(".")[2].lower()
    kind = fields.get("format", SUFFIXES.get(suffix, "parquet"))
    if kind not in FORMATS:
        raise ConnectionConfigError(f"tables: the format of {name} must be one of {', '.join(FORMATS)}.")
    if not PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ConnectionConfigError(
            f"tables: the path of {name} must be absolute, such as s3a://lake/orders/, without patterns and `..`."
        )
    if not any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in allowed_paths):
        raise ConnectionConfigError(f"tables: the path of {name} is not below one that SQLCHAT_SPARK_PATHS allows.")
    return NamedPath(path, kind)
