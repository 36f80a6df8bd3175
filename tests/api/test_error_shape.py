"""Every failure, on every route, has one shape."""

import io

import pytest
from gunicorn.http.errors import InvalidChunkSize  # type: ignore[import-untyped]

FAILURES = [
    # method, path, what is sent, status, code
    ("GET", "/api/nothing-here", {}, 404, "not_found"),
    ("GET", "/nothing-here", {}, 404, "not_found"),
    ("PUT", "/api/chat", {}, 405, "method_not_allowed"),
    ("POST", "/health", {}, 405, "method_not_allowed"),
    ("POST", "/api/chat", {"data": b"{", "content_type": "application/json"}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"data": b"[" * 9999, "content_type": "application/json"}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"data": b'"\\ud800"', "content_type": "application/json"}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"data": b"{}", "content_type": "text/plain"}, 415, "unsupported_media_type"),
    ("POST", "/api/chat", {"json": []}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"json": {"connection_id": "demo"}}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"json": {"connection_id": "demo", "prompt": " \n"}}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"json": {"connection_id": "demo", "prompt": 7}}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"json": {"prompt": "How many customers?"}}, 400, "payload_invalid"),
    ("POST", "/api/chat", {"json": {"connection_id": "no", "prompt": "x"}}, 404, "connection_not_found"),
    (
        "POST",
        "/api/chat",
        {"json": {"connection_id": "demo", "prompt": "x", "provider": "openai"}},
        400,
        "provider_not_configured",
    ),
    (
        "POST",
        "/api/chat",
        {"json": {"connection_id": "demo", "prompt": "x", "provider": "nobody"}},
        400,
        "provider_unknown",
    ),
    (
        "POST",
        "/api/chat",
        {"json": {"connection_id": "demo", "prompt": "How many customers?", "dialect": "klingon"}},
        400,
        "dialect_unknown",
    ),
    (
        "POST",
        "/api/chat",
        {"json": {"connection_id": "demo", "prompt": "Will it rain tomorrow?"}},
        422,
        "question_not_answerable",
    ),
    ("POST", "/api/execute", {"json": {"connection_id": "demo"}}, 400, "payload_invalid"),
    ("POST", "/api/execute", {"json": {"connection_id": "demo", "sql": "SELECT 1", "x": 1}}, 400, "payload_invalid"),
    ("POST", "/api/execute", {"json": {"connection_id": "no", "sql": "SELECT 1"}}, 404, "connection_not_found"),
    ("POST", "/api/execute", {"json": {"connection_id": "demo", "sql": "SELEC 1 FRM"}}, 400, None),
    ("POST", "/api/execute", {"json": {"connection_id": "demo", "sql": "DROP TABLE orders"}}, 400, "sql_refused"),
    ("POST", "/api/execute", {"json": {"connection_id": "demo", "sql": "SELECT 1; SELECT 2"}}, 400, "sql_refused"),
    ("POST", "/api/execute", {"json": {"connection_id": "demo", "sql": "SELECT x FROM orders"}}, 400, "sql_failed"),
    (
        "POST",
        "/api/execute",
        {"json": {"connection_id": "demo", "sql": "SELECT 1", "max_rows": 0}},
        400,
        "payload_invalid",
    ),
    ("GET", "/api/connections/no", {}, 404, "connection_not_found"),
    ("DELETE", "/api/connections/no", {}, 404, "connection_not_found"),
    ("GET", "/api/connections/no/schema", {}, 404, "connection_not_found"),
    ("GET", "/api/connections/no/context", {}, 404, "connection_not_found"),
    ("PUT", "/api/connections/no/context", {"json": {}}, 404, "connection_not_found"),
    ("PUT", "/api/connections/demo/context", {"data": b"{}"}, 415, "unsupported_media_type"),
    ("PUT", "/api/connections/demo/context", {"json": {"terms": 1}}, 400, "payload_invalid"),
    ("POST", "/api/connections/demo/context", {"json": {}}, 405, "method_not_allowed"),
    ("GET", "/api/connections/no/examples", {}, 404, "connection_not_found"),
    (
        "POST",
        "/api/connections/no/examples",
        {"json": {"question": "x", "sql": "SELECT 1"}},
        404,
        "connection_not_found",
    ),
    ("POST", "/api/connections/demo/examples", {"json": {}}, 400, "payload_invalid"),
    (
        "POST",
        "/api/connections/demo/examples",
        {"json": {"question": "x", "sql": "DELETE FROM orders"}},
        400,
        "sql_refused",
    ),
    (
        "POST",
        "/api/connections/demo/examples",
        {"json": {"question": "x", "sql": "SELECT x FROM orders"}},
        400,
        "sql_failed",
    ),
    ("DELETE", "/api/connections/no/examples/x", {}, 404, None),
    ("DELETE", "/api/connections/demo/examples/x", {}, 404, "example_not_found"),
    (
        "POST",
        "/api/connections",
        {"json": {"provider": "sqlite", "name": "x", "config": {}, "privacy": "none"}},
        400,
        "payload_invalid",
    ),
    ("POST", "/api/connections/no/refresh", {}, 404, "connection_not_found"),
    ("PATCH", "/api/connections/no", {"json": {"privacy": "rows"}}, 404, "connection_not_found"),
    ("PATCH", "/api/connections/demo", {"json": {}}, 400, "payload_invalid"),
    ("PATCH", "/api/connections/demo", {"data": b"{}"}, 415, "unsupported_media_type"),
    ("PATCH", "/api/connections/demo", {"json": {"config": {"database": "no.db"}}}, 400, "connection_failed"),
    ("PUT", "/api/connections/demo", {"json": {}}, 405, "method_not_allowed"),
    (
        "POST",
        "/api/connections",
        {"json": {"provider": "dbase", "name": "x", "config": {}}},
        400,
        "provider_unknown",
    ),
    (
        "POST",
        "/api/connections",
        {"json": {"provider": "sqlite", "name": "demo", "config": {"database": ":memory:"}}},
        409,
        "conflict",
    ),
    (
        "POST",
        "/api/connections",
        {"json": {"provider": "sqlite", "name": "x", "config": {"database": "/etc/passwd"}}},
        400,
        "connection_failed",
    ),
    ("POST", "/api/files/profile", {}, 400, "payload_invalid"),
    ("POST", "/api/files/profile", {"data": {"file": (io.BytesIO(b"a\n"), "")}}, 400, "payload_invalid"),
    ("POST", "/api/files/profile", {"data": {"file": (io.BytesIO(b"GIF89a"), "x.gif")}}, 415, None),
    ("POST", "/api/files/upload?bucket=no", {"data": {"file": (io.BytesIO(b"a\n1\n"), "x.csv")}}, 404, None),
    ("GET", "/api/files?bucket=no", {}, 404, "bucket_not_found"),
    ("GET", "/api/files?bucket=", {}, 400, "payload_invalid"),
    ("DELETE", "/api/files/no/x.csv", {}, 404, "bucket_not_found"),
    ("DELETE", "/api/files/uploads", {}, 404, "file_not_found"),
    ("DELETE", "/api/files/uploads/", {}, 404, "file_not_found"),
    ("DELETE", "/api/files/uploads/nothing-here.csv", {}, 404, "file_not_found"),
    ("DELETE", "/api/files/uploads/..%2f..%2fstate%2fkey", {}, 404, "file_not_found"),
    ("DELETE", "/api/files", {}, 405, "method_not_allowed"),
    ("GET", "/api/files/uploads/x.csv", {}, 405, "method_not_allowed"),
    ("POST", "/api/lineage", {"json": {"sql": "SELECT 1", "dialect": "klingon"}}, 400, "dialect_unknown"),
    ("POST", "/api/lineage", {"json": {"sql": "SELECT 1", "connection_id": "no"}}, 404, "connection_not_found"),
    ("POST", "/api/lineage", {"json": {"sql": "SELECT (("}}, 400, "sql_syntax"),
    ("GET", "/api/auth/me", {}, 401, "unauthorized"),
    ("GET", "/api/settings", {}, 401, "unauthorized"),
    ("PATCH", "/api/settings", {"json": {}}, 401, "unauthorized"),
    ("GET", "/health", {"headers": {"Authorization": "Bearer a.b.c"}}, 401, "unauthorized"),
    ("GET", "/api/providers", {"headers": {"Authorization": "Bearer a.b.c"}}, 401, "unauthorized"),
    ("GET", "/api/nothing-here", {"headers": {"Authorization": "Basic eDp5"}}, 401, "unauthorized"),
]


@pytest.mark.parametrize(("method", "path", "sent", "status", "code"), FAILURES)
def test_a_failure_is_a_problem(client, method, path, sent, status, code):
    response = client.open(path, method=method, **sent)
    body = response.get_json(force=True)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json"), body
    assert body["status"] == status
    assert {"type", "title", "detail", "code", "request_id"} <= set(body)
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert body["title"]
    assert body["detail"].endswith((".", "?", "!")) or body["code"] == "sql_failed"  # the database's own words
    assert code is None or body["code"] == code
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_payload_problem_names_the_fields(client):
    body = client.post("/api/execute", json={"connection_id": 5, "sqll": "x"}).get_json(force=True)
    assert set(body["errors"]) == {"connection_id", "sql", "sqll"}


def test_a_payload_problem_names_the_places_in_a_list(client):
    sent = {"provider": "sqlite", "name": "x", "config": {}, "policy": {"deny_columns": ["a.b", 5]}}
    body = client.post("/api/connections", json=sent).get_json(force=True)
    assert body["errors"] == {"policy": {"deny_columns": {"1": ["Not a valid string."]}}}


def test_the_database_s_words_come_with_the_refusal(client):
    body = client.post("/api/execute", json={"connection_id": "demo", "sql": "SELECT nme FROM customers"}).get_json(
        force=True
    )
    assert "nme" in body["detail"]


def test_a_malformed_chunked_body_is_malformed(client):
    class Chunks:
        def read(self, size=-1):
            raise InvalidChunkSize(b"zz")

    for path, kind in (
        ("/api/lineage", "application/json"),
        ("/api/files/profile", "multipart/form-data; boundary=b"),
    ):
        response = client.post(
            path, content_type=kind, environ_overrides={"wsgi.input": Chunks(), "wsgi.input_terminated": True}
        )
        assert (response.status_code, response.get_json(force=True)["code"]) == (400, "bad_request"), path


def test_a_body_that_is_missing_changes_nothing(client, signed_in):
    response = client.patch("/api/settings", headers=signed_in)
    assert (response.status_code, response.get_json(force=True)["code"]) == (400, "payload_invalid")


def test_a_number_of_rows_may_be_written_in_any_way_of_json(client):
    for number in ("2.0", "2e0", "740698673784286210949120"):
        body = f'{{"connection_id": "demo", "sql": "SELECT id FROM customers", "max_rows": {number}}}'
        response = client.post("/api/execute", data=body, content_type="application/json")
        assert response.status_code == 200, number
    body = '{"connection_id": "demo", "sql": "SELECT id FROM customers", "max_rows": 2.5}'
    assert client.post("/api/execute", data=body, content_type="application/json").status_code == 400


def test_a_json_body_may_not_be_huge(client):
    response = client.post("/api/execute", data=b" " * (2 << 20), content_type="application/json")
    assert (response.status_code, response.get_json(force=True)["code"]) == (413, "request_entity_too_large")


def test_a_bug_is_a_500_that_tells_nothing_of_itself(settings):
    from sqlchat.app import create_app

    app = create_app(settings)
    app.add_url_rule("/bug", "bug", lambda: {}["secret detail"])
    response = app.test_client().get("/bug")
    app.extensions["sqlchat"].close()
    assert (response.status_code, response.mimetype) == (500, "application/problem+json")
    assert "secret detail" not in response.text
    assert response.get_json(force=True)["code"] == "internal_error"


def test_in_local_mode_a_foreign_host_name_is_refused(client):
    response = client.get("/health", headers={"Host": "mybox:8000"})
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    detail = response.get_json(force=True)["detail"]
    assert all(word in detail for word in ("localhost", "SUPABASE_URL", "SUPABASE_JWT_SECRET", "OPEN_DATA_ROUTES"))
    assert "mybox" not in detail


def test_each_request_goes_by_its_own_host_and_path(client):
    asked = [("localhost:8000", "/health", 200), ("mybox", "/health", 400), ("localhost:8000", "/nothing", 404)]
    for host, path, status in asked * 2:
        assert client.get(path, headers={"Host": host}).status_code == status
    assert client.post("/health", headers={"Host": "localhost:8000"}).status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "http://[::1]:8000"}, 200),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 200),  # no page can write this one
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 400),
        ({"Sec-Fetch-Site": "same-site"}, 400),
        ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, 400),
        ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "cross-site"}, 400),
        ({"Origin": "http://evil.example"}, 400),
        ({"Origin": "http://localhost.evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Origin": "http://["}, 400),
    ],
)
def test_in_local_mode_a_page_of_another_site_changes_nothing(client, headers, status):
    assert client.get("/health", headers=headers).status_code == 200
    sent = client.post("/api/connections/demo/refresh", headers=headers)
    assert sent.status_code == status, sent.text
    if status == 400:
        problem = sent.get_json(force=True)
        assert (problem["code"], sent.mimetype) == ("bad_request", "application/problem+json")
