"""Clients that other people's tools make of the API's description: Python, TypeScript, Postman, MCP's inspector.

The tools from npm are looked for where `.ci/run` installs them: `npm install --prefix .venv/node tests/clients`.
"""

import importlib
import json
import os
import subprocess
import urllib.request

import pytest
from deployed import BIN, ROOT, Service

NODE = ROOT / ".venv" / "node" / "node_modules"
MISSING = not (NODE / ".bin" / "newman").exists()


def needs_node(test):
    return pytest.mark.node(pytest.mark.skipif(MISSING, reason="needs the tools of tests/clients/package.json")(test))


NEED_A_TOKEN = {("GET", "/api/auth/me"), ("GET", "/api/settings"), ("PATCH", "/api/settings")}
NEED_A_FILE = {
    ("POST", "/api/files/profile"),
    ("POST", "/api/files/upload"),
    ("DELETE", "/api/files/uploads/customers-of-2019.csv"),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("state")) as service:
        yield service


@pytest.fixture(scope="module")
def description(service, tmp_path_factory):
    """The path of the API's description as this service gives it."""
    path = tmp_path_factory.mktemp("api") / "openapi.json"
    with urllib.request.urlopen(f"{service.url}/api/openapi.json") as answer:
        path.write_bytes(answer.read())
    return path


def run(*words, **environment):
    """What a program prints. Fails with all that it said where it ends in an error."""
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=300, env=os.environ | {"NODE_PATH": str(NODE)} | environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name):
    return str(NODE / ".bin" / name)


def send_collection(description, folder, **environment):
    """Every request of Postman's collection, sent in its order: {(method, path): (status, query)}."""
    collection, report = folder / "collection.json", folder / "report.json"
    run("node", str(ROOT / "tests/clients/postman.js"), str(description), str(collection), **environment)
    run(tool("newman"), "run", str(collection), "--reporters", "json", "--reporter-json-export", str(report))
    sent = {}
    for each in json.loads(report.read_text())["run"]["executions"]:
        request = each["request"]
        path = "/" + "/".join(request["url"]["path"])
        for name in request["url"]["variable"]:
            path = path.replace(f":{name['key']}", name["value"])
        query = {each["key"]: each["value"] for each in request["url"]["query"] if not each.get("disabled")}
        sent[request["method"], path] = (each["response"]["code"], query)
    return sent


@needs_node
def test_postmans_collection_can_be_sent_as_it_was_imported(service, description, tmp_path):
    sent = send_collection(description, tmp_path)
    assert len(sent) >= 26
    failed = {request for request, (status, _) in sent.items() if status >= 300}
    assert failed == NEED_A_TOKEN | NEED_A_FILE
    assert all(not query for _, query in sent.values())


@needs_node
def test_postmans_collection_can_be_sent_with_its_optional_parameters_too(service, description, tmp_path):
    sent = send_collection(description, tmp_path, OPTIONAL="on")
    assert {request for request, (status, _) in sent.items() if status >= 300} == NEED_A_TOKEN | NEED_A_FILE
    assert sent["GET", "/api/history/latest/result"][1] == {"csv_formulas": "keep", "max_rows": "1000"}


def test_a_typed_python_client_is_made_of_the_description_and_works(service, description, tmp_path, monkeypatch):
    made = tmp_path / "client"
    generate = [str(BIN / "openapi-python-client"), "generate", "--path", str(description), "--meta", "none"]
    said = run(
        *generate,
        "--output-path",
        str(made / "sqlchat_client"),
        "--fail-on-warning",
        PATH=f"{BIN}:{os.environ['PATH']}",
    )
    assert "Warning" not in said
    monkeypatch.syspath_prepend(made)
    ask = importlib.import_module("sqlchat_client.api.chat.post_api_chat")
    payload = importlib.import_module("sqlchat_client.models.chat").Chat
    with importlib.import_module("sqlchat_client").Client(base_url=service.url) as client:
        answer = ask.sync(client=client, body=payload(prompt="How many customers are there?", connection_id="demo"))
    assert answer.results.rows == [[240]]
    assert answer.sql.startswith("SELECT COUNT(*)")


@needs_node
def test_a_typescript_client_is_made_of_the_description_and_compiles(description, tmp_path):
    types, use = tmp_path / "api.d.ts", tmp_path / "use.ts"
    run(tool("openapi-typescript"), str(description), "--output", str(types))
    use.write_text(
        'import type { paths } from "./api";\n'
        'type Answer = paths["/api/chat"]["post"]["responses"]["200"]["content"]["application/json"];\n'
        "export const countRows = (answer: Answer): number => answer.results?.row_count ?? 0;\n"
    )
    run(tool("tsc"), "--noEmit", "--strict", "--skipLibCheck", "false", str(use))


@needs_node
def test_mcps_inspector_lists_the_tools_and_calls_them(service):
    inspector = [tool("mcp-inspector"), "--cli", f"{service.url}/mcp", "--transport", "http", "--method"]
    tools = json.loads(run(*inspector, "tools/list"))["tools"]
    assert {each["name"] for each in tools} == {"list_connections", "describe", "ask", "run_sql", "examples"}
    call = [*inspector, "tools/call", "--tool-name", "run_sql", "--tool-arg", "connection=demo", "--tool-arg"]
    counted = json.loads(run(*call, "sql=SELECT COUNT(*) FROM customers"))
    assert (counted["isError"], counted["structuredContent"]["rows"]) == (False, [[240]])
    refused = json.loads(run(*call, "sql=DELETE FROM customers"))
    assert refused["isError"]
