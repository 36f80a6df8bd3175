"""Runs the five tools of `/mcp`, with the same services as the API's own routes.

An assistant is a caller like any other: it gets the rows that it asks for. If a connection's `privacy` hides profiles
of columns from models, it hides them from assistants too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import orjson
from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import request

from sqlchat.api import security
from sqlchat.api.defaults import choose_provider
from sqlchat.api.problems import describe_problem
from sqlchat.api.recording import record_entry
from sqlchat.api.rendering import render_results
from sqlchat.api.requests import note
from sqlchat.api.resource import runtime
from sqlchat.api.running import run_recorded
from sqlchat.chat.answer import Answer
from sqlchat.chat.question import Question
from sqlchat.connections.results import Results
from sqlchat.errors import PayloadError, SqlchatError
from sqlchat.schemas.mcp import AskSchema, ConnectionSchema, DescribeSchema, RunSchema, ToolSchema
from sqlchat.sql.catalog import Table
from sqlchat.sql.dialects import write_public_name
from sqlchat.sql.profiles import Profiles
from sqlchat.store import Entry

JSON_SCHEMAS = OpenAPIConverter("3.1.0", lambda _: None, APISpec("", "", "3.1.0"))
"""Writes schemas of arguments as JSON Schema, which OpenAPI 3.1 uses too."""

ROUTE = "mcp"
"""`route` of entries in the history."""


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    schema: type[ToolSchema]
    run: Callable[[dict[str, Any]], dict[str, Any]]

    def describe(self) -> dict[str, Any]:
        """Return the tool as an item of `tools/list`."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": JSON_SCHEMAS.schema2jsonschema(self.schema),  # type: ignore[no-untyped-call]
            "annotations": {
                "readOnlyHint": True,
                "destructiveHint": False,
                "idempotentHint": True,
                "openWorldHint": False,
            },
        }


def call_tool(name: object, arguments: object) -> dict[str, Any]:
    """Return the result of `tools/call`. If the tool fails, that is the problem which the API would answer.

    Raises PayloadError if there is no such tool.
    """
    tool = TOOLS.get(name) if isinstance(name, str) else None
    if tool is None:
        raise PayloadError(f"There is no tool {str(name)[:80]!r}; there are {', '.join(TOOLS)}.")
    schema = tool.schema()
    payload = arguments if isinstance(arguments, dict) else {"": arguments}
    try:
        if errors := schema.validate(payload):
            raise PayloadError("The arguments are not valid; `errors` says why.", errors=errors)
        return _make_content(tool.run(cast(dict[str, Any], schema.load(payload))), is_error=False)
    except SqlchatError as exc:
        return _make_content(describe_problem(exc), is_error=True)


def list_connections(_: dict[str, Any]) -> dict[str, Any]:
    connections = [
        {"name": connection.name, "dialect": write_public_name(connection.dialect)}
        for connection in runtime().manager.list(security.get_owner())
    ]
    return {"connections": connections}


def describe(payload: dict[str, Any]) -> dict[str, Any]:
    owner, name, wanted = security.get_owner(), payload["connection"], payload["tables"]
    connection = runtime().manager.open(owner, name, security.get_claims())
    catalog = runtime().knowledge.extend_catalog(owner, name, connection.catalog, Profiles())
    facts: dict[str, Any] = {"dialect": write_public_name(catalog.dialect), "default_schema": catalog.default_schema}
    if not wanted:
        return facts | {
            "tables": [_summarize_table(table, catalog.default_schema) for table in catalog.tables],
            "next": "Name some `tables` to see their columns.",
        }
    profiles = Profiles() if connection.privacy == "schema" else connection.profiles
    tables, unknown = [], []
    for name in wanted:
        schema, _, bare = name.rpartition(".")
        table = catalog.table(bare, schema or None) or catalog.table(name)
        if table is None:
            unknown.append(name)
        else:
            tables.append(_describe_table(table, catalog.default_schema, profiles))
    return facts | {"tables": tables, "unknown_tables": unknown}


def ask(payload: dict[str, Any]) -> dict[str, Any]:
    name = payload["connection"]
    with record_entry(ROUTE, name, question=payload["question"]) as entry:
        question = Question(
            owner=security.get_owner(),
            connection_id=name,
            text=payload["question"],
            provider=choose_provider({}),
            max_rows=_read_limit(payload),
            notes=payload["notes"],
            conversation=payload.get("conversation_id"),
            claims=security.get_claims(),
            tag=entry.request_id,
        )
        reply: Answer = runtime().pipeline.answer(question, entry)
        note(attempts=reply.attempts)
    assert reply.results is not None  # it was asked to run
    return {
        "sql": reply.executed_sql or reply.sql,
        **_render_limited(reply.results, entry),
        "interpretation": reply.interpretation or reply.explanation,
        "assumptions": reply.assumptions,
        "warnings": reply.warnings,
        "tables_read": reply.lineage.tables_read,
        "conversation_id": reply.conversation,
    }


def run_sql(payload: dict[str, Any]) -> dict[str, Any]:
    return _render_limited(*run_recorded(ROUTE, payload["connection"], payload["sql"], _read_limit(payload)))


def list_examples(payload: dict[str, Any]) -> dict[str, Any]:
    owner, name = security.get_owner(), payload["connection"]
    catalog = runtime().manager.open(owner, name, security.get_claims()).catalog
    examples = [
        {"question": example.question, "sql": example.sql, "note": example.note}
        for example, is_stale in runtime().knowledge.list_examples(owner, name, catalog)
        if not is_stale
    ]
    return {"examples": examples}


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("list_connections", "List the databases that can be asked.", ToolSchema, list_connections),
        Tool(
            "describe",
            "Show the tables of a database; with `tables`, their columns, keys, comments and what the columns hold.",
            DescribeSchema,
            describe,
        ),
        Tool(
            "ask",
            "Answer a question in plain language: SQL is written, checked and run read-only; rows come back with how "
            "the question was read and what is doubtful.",
            AskSchema,
            ask,
        ),
        Tool("run_sql", "Run one reading SQL statement, in the database's own dialect.", RunSchema, run_sql),
        Tool("examples", "Show questions whose SQL a person verified.", ConnectionSchema, list_examples),
    )
}


def _read_limit(payload: Mapping[str, Any]) -> int:
    ceiling: int = runtime().settings.mcp_max_rows
    return min(int(payload.get("max_rows", ceiling)), ceiling)


def _render_limited(results: Results, entry: Entry) -> dict[str, Any]:
    """Return the rows and, if there are more, the address of the whole result; `entry` must be recorded before."""
    content = render_results(results)
    if results.truncated:
        content["left_out"] = f"These are the first {results.row_count} rows of more: aggregate or filter in SQL."
        if runtime().settings.history_days:
            content["whole_result"] = f"{request.host_url}api/history/{entry.id}/result"
    return content


def _summarize_table(table: Table, default_schema: str) -> dict[str, Any]:
    summary = {"name": _write_name(table, default_schema), "kind": table.kind, "rows": table.row_estimate}
    return summary | ({"comment": table.comment} if table.comment else {})


def _describe_table(table: Table, default_schema: str, profiles: Profiles) -> dict[str, Any]:
    columns = []
    for column in table.columns:
        facts: dict[str, Any] = {"name": column.name, "type": column.type, "nullable": column.nullable}
        if column.comment:
            facts["comment"] = column.comment
        if profile := profiles.get((table.schema, table.name, column.name)):
            facts["profile"] = {name: value for name, value in asdict(profile).items() if value not in (None, "", ())}
        columns.append(facts)
    return _summarize_table(table, default_schema) | {
        "columns": columns,
        "primary_key": table.primary_key,
        "references": [
            {
                "columns": key.columns,
                "table": key.ref_table,
                "ref_columns": key.ref_columns,
                "inferred": key.inferred,
                "source": key.source,
            }
            for key in table.foreign_keys
        ],
    }


def _write_name(table: Table, default_schema: str) -> str:
    return f"{table.schema}.{table.name}" if table.schema and table.schema != default_schema else table.name


def _make_content(result: Mapping[str, Any], *, is_error: bool) -> dict[str, Any]:
    """Return `result` twice: as text for models, and as structured content for programs."""
    body = orjson.dumps(result, option=orjson.OPT_NON_STR_KEYS)
    return {
        "content": [{"type": "text", "text": body.decode()}],
        "structuredContent": orjson.Fragment(body),
        "isError": is_error,
    }
