"""`/mcp`: the official client over HTTP, against the service as it is deployed; and what the protocol refuses."""

import asyncio
import json
import sqlite3

import httpx2
import pytest
from deployed import Service
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from sqlchat.app import create_app
from sqlchat.config import Settings

from .conftest import JWT_SECRET, supabase_token

MODES = ["auto", "legacy", "2026-07-28"]
ASK = {"connection": "demo", "question": "How many customers are in Germany?"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("mcp")) as running:
        yield running


def talk(url, steps, mode="auto", token=None):
    """What `steps`, a coroutine of a connected client, gives."""

    async def run():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=100) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
        ):
            return await steps(client)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
def test_the_official_client_lists_describes_asks_and_runs(service, mode):
    async def steps(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        return tools, [
            await client.call_tool("list_connections", {}),
            await client.call_tool("describe", {"connection": "demo"}),
            await client.call_tool("describe", {"connection": "demo", "tables": ["customers", "nope"]}),
            await client.call_tool("ask", ASK),
            await client.call_tool("run_sql", {"connection": "demo", "sql": "SELECT COUNT(*) AS n FROM customers"}),
            await client.call_tool("examples", {"connection": "demo"}),
        ]

    tools, results = talk(service.url, steps, mode)
    assert set(tools) == {"list_connections", "describe", "ask", "run_sql", "examples"}
    assert all(tool.annotations.read_only_hint for tool in tools.values())
    assert not any(result.is_error for result in results)
    listed, names, columns, asked, ran, examples = (result.structured_content for result in results)
    assert listed == {"connections": [{"name": "demo", "dialect": "sqlite"}]}
    assert "columns" not in names["tables"][0]
    (customers,) = columns["tables"]
    assert columns["unknown_tables"] == ["nope"]
    assert any(column.get("profile", {}).get("values") for column in customers["columns"])
    assert (asked["rows"], asked["tables_read"]) == ([[50]], ["customers", "countries"])
    assert ran["rows"][0][0] > 0
    assert examples == {"examples": []}
    assert json.loads(results[3].content[0].text) == asked


def test_what_a_tool_refuses_is_a_result_with_our_code(service):
    async def steps(client):
        return [
            await client.call_tool("run_sql", {"connection": "demo", "sql": "DELETE FROM customers"}),
            await client.call_tool("run_sql", {"connection": "nope", "sql": "SELECT 1"}),
            await client.call_tool("run_sql", {"connection": "demo"}),
            await client.call_tool("ask", ASK | {"question": "Who will win the election?"}),
        ]

    results = talk(service.url, steps)
    assert all(result.is_error for result in results)
    codes = [result.structured_content["code"] for result in results]
    assert codes == ["sql_refused", "connection_not_found", "payload_invalid", "question_not_answerable"]
    assert "sql" in results[2].structured_content["errors"]


def test_rows_are_capped_and_what_is_left_out_is_told(service):
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n"

    async def steps(client):
        few = {"connection": "demo", "sql": sql, "max_rows": 3}
        return [await client.call_tool("run_sql", few | {"max_rows": n}) for n in (3, 5000)]

    few, many = (result.structured_content for result in talk(service.url, steps))
    assert (few["row_count"], many["row_count"]) == (3, 200)
    assert "first 200 rows" in many["left_out"]
    whole = httpx2.get(many["whole_result"], headers={"Accept": "text/csv"}, timeout=100)
    assert (whole.status_code, len(whole.text.splitlines())) == (200, 1 + 1000)


def test_a_call_is_in_the_history(service):
    async def steps(client):
        return await client.call_tool("run_sql", {"connection": "demo", "sql": "SELECT 4711"})

    talk(service.url, steps)
    _, body, _ = service.call("GET", "/api/history")
    entry = next(entry for entry in body["history"] if entry["sql"] == "SELECT 4711")
    assert (entry["route"], entry["outcome"], entry["row_count"]) == ("mcp", "ok", 1)


# With auth, and what the protocol refuses


@pytest.fixture
def secured(tmp_path):
    app = create_app(
        Settings(data_dir=tmp_path, supabase_jwt_secret=JWT_SECRET, supabase_url="https://x.supabase.co")
    )
    yield app
    app.extensions["sqlchat"].close()


def send(client, body, **headers):
    return client.post("/mcp", json=body, headers=headers)


def message(method="ping", **params):
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def test_without_a_token_the_client_is_told_who_issues_one(secured):
    client = secured.test_client()
    refused = send(client, message())
    assert refused.status_code == 401
    assert "/.well-known/oauth-protected-resource" in refused.headers["WWW-Authenticate"]
    metadata = client.get("/.well-known/oauth-protected-resource/mcp").get_json()
    assert metadata["authorization_servers"] == ["https://x.supabase.co/auth/v1"]
    assert metadata["resource"].endswith("/mcp")
    assert send(client, message(), Authorization="Bearer nonsense").status_code == 401


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_links_have_the_scheme_that_a_trusted_proxy_was_asked_with(tmp_path, proxies):
    given = {"supabase_jwt_secret": JWT_SECRET, "supabase_url": "https://x.supabase.co", "mcp_max_rows": 1}
    app = create_app(Settings(data_dir=tmp_path, trusted_proxies=proxies, **given))
    sqlite3.connect(tmp_path / "shop.db").execute("CREATE TABLE t (n)").connection.close()
    client, scheme = app.test_client(), "https" if proxies else "http"
    token = supabase_token(iss="https://x.supabase.co/auth/v1")
    user = {"Authorization": f"Bearer {token}", "X-Forwarded-Proto": "https"}
    made = {"provider": "sqlite", "name": "shop", "config": {"database": "shop.db"}}
    try:
        assert client.post("/api/connections", json=made, headers=user).status_code == 201
        sql = "SELECT 1 AS n UNION ALL SELECT 2"
        call = message("tools/call", name="run_sql", arguments={"connection": "shop", "sql": sql})
        link = send(client, call, **user).get_json()["result"]["structuredContent"]["whole_result"]
        assert link.startswith(f"{scheme}://localhost/api/history/")
        metadata = client.get("/.well-known/oauth-protected-resource", headers=user).get_json()
        assert metadata["resource"] == f"{scheme}://localhost/mcp"
    finally:
        app.extensions["sqlchat"].close()


def test_connections_of_others_are_unknown(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, supabase_jwt_secret=JWT_SECRET))
    sqlite3.connect(tmp_path / "shop.db").execute("CREATE TABLE t (n)").connection.close()
    client = app.test_client()
    try:
        ann, bob = ({"Authorization": f"Bearer {supabase_token()}"} for _ in range(2))
        made = {"provider": "sqlite", "name": "shop", "config": {"database": "shop.db"}}
        assert client.post("/api/connections", json=made, headers=ann).status_code == 201
        call = message("tools/call", name="list_connections", arguments={})
        seen = [send(client, call, **who).get_json()["result"]["structuredContent"] for who in (ann, bob)]
        assert [len(each["connections"]) for each in seen] == [1, 0]
    finally:
        app.extensions["sqlchat"].close()


def test_pages_of_other_sites_are_refused(client):
    assert send(client, message(), Origin="https://evil.example").status_code in (400, 403)
    assert send(client, message(), Origin="http://localhost").status_code == 200
    assert send(client, message(), Host="evil.example").status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[]", 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 400, -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "nope"}', 200, -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "nope"}}', 400, -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": ["nope"]}}', 400, -32602),
    ],
)
def test_what_is_no_request_is_a_protocol_error(client, body, status, code):
    answer = client.post("/mcp", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert answer.get_json()["id"] == (1 if b'"id": 1' in body else None)


def test_unknown_methods_and_versions_of_the_newer_protocol(client):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    assert send(client, message("nope", _meta=meta)).status_code == 404
    assert send(client, message("initialize", _meta=meta)).status_code == 404
    assert send(client, message("tools/list", _meta=meta)).get_json()["result"]["resultType"] == "complete"
    refused = send(client, message("tools/list"), **{"MCP-Protocol-Version": "1999-01-01"})
    assert refused.status_code == 400
    assert "2026-07-28" in refused.get_json()["error"]["data"]["supported"]


def test_a_notification_is_accepted_without_a_body(client):
    answer = client.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (answer.status_code, answer.data) == (202, b"")


def test_there_is_no_stream_to_listen_to(client):
    assert client.get("/mcp").status_code == 405
