"""What a request may hold, whatever it asks for."""

import gzip
import io
import json

import pytest

CSV = b"a,b\n1,2\n"
QUERY = {"sql": "SELECT 1", "dialect": "postgresql"}
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def part(name, content, filename=None):
    named = f'; filename="{filename}"' if filename else ""
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content + b"\r\n"


def refused(response, status, code):
    problem = response.get_json(force=True)
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.mimetype == "application/problem+json"
    return problem


class TestEncodedBodies:
    @pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, deflate", "x-unknown"])
    @pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
    def test_a_coding_that_is_not_read_is_refused(self, client, coding, squeeze):
        body = squeeze(json.dumps(QUERY).encode())
        headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
        refused(client.post("/api/lineage", data=body, headers=headers), 415, "unsupported_media_type")

    def test_so_it_is_for_an_upload(self, client):
        sent = client.post(
            "/api/files/profile", data={"file": (io.BytesIO(CSV), "a.csv")}, headers={"Content-Encoding": "gzip"}
        )
        refused(sent, 415, "unsupported_media_type")

    @pytest.mark.parametrize("coding", ["identity", "Identity", ""])
    def test_a_body_as_it_is_may_say_so(self, client, coding):
        headers = {"Content-Encoding": coding}
        assert client.post("/api/lineage", json=QUERY, headers=headers).status_code == 200

    def test_a_file_that_is_itself_compressed_is_a_file(self, client):
        data = {"file": (io.BytesIO(gzip.compress(CSV)), "a.csv.gz")}
        assert client.post("/api/files/profile", data=data).get_json()["row_count"] == 1


class TestRepeatedFields:
    @pytest.mark.parametrize("path", ["profile", "upload"])
    def test_two_parts_named_file_are_refused_and_nothing_is_kept(self, client, path):
        body = part("file", CSV, "first.csv") + part("file", CSV, "second.csv") + b"--x--\r\n"
        problem = refused(client.post(f"/api/files/{path}", data=body, headers=FORM), 400, "payload_invalid")
        assert set(problem["errors"]) == {"file"}
        assert client.get("/api/files").get_json()["files"] == []

    def test_a_text_beside_a_file_of_its_name_counts_too(self, client):
        body = part("file", b"text") + part("file", CSV, "a.csv") + b"--x--\r\n"
        problem = refused(client.post("/api/files/profile", data=body, headers=FORM), 400, "payload_invalid")
        assert set(problem["errors"]) == {"file"}

    def test_so_does_a_parameter(self, client):
        for query in ("bucket=uploads&bucket=other", "upsert=true&upsert=false"):
            sent = client.post(f"/api/files/upload?{query}", data={"file": (io.BytesIO(CSV), "a.csv")})
            assert set(refused(sent, 400, "payload_invalid")["errors"]) == {query.partition("=")[0]}
        refused(client.get("/api/history?limit=1&limit=2"), 400, "payload_invalid")

    def test_parts_of_other_names_are_let_be(self, client):
        body = part("comment", b"text") + part("file", CSV, "a.csv") + b"--x--\r\n"
        assert client.post("/api/files/profile", data=body, headers=FORM).status_code == 200

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            (b'{"connection_id": "demo", "sql": "SELECT 1", "sql": "SELECT 2"}', "sql"),
            (b'{"connection_id": "demo", "connection_\\u0069d": "other", "sql": "SELECT 1"}', "connection_id"),
            (b'{"connection_id": "demo", "sql": "SELECT 1", "max_rows" : 1, "max_rows"\n: 1}', "max_rows"),
        ],
        ids=["twice", "escaped", "spaced"],
    )
    def test_a_key_of_json_that_comes_twice_is_refused_by_its_name(self, client, body, field):
        answer = client.post("/api/execute", data=body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.get_json()["errors"] == {field: ["Given more than once; give one value."]}

    def test_a_key_that_comes_twice_deep_inside_is_refused(self, client):
        body = b'{"provider": "sqlite", "name": "twice", "config": {"database": "a.db", "database": ":memory:"}}'
        answer = client.post("/api/connections", data=body, content_type="application/json")
        assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["database"])

    def test_texts_that_look_like_keys_are_none(self, client):
        sql = """SELECT '"a": 1, "a": 2' AS text, 12345678901234567890123456789 AS large"""
        answer = client.post("/api/execute", json={"connection_id": "demo", "sql": sql})
        assert answer.get_json()["results"]["rows"][0][0] == '"a": 1, "a": 2'


CONTROLS = ["\0", "\x01", "\x08", "\x0b", "\x1b", "\x1f", "\x7f", "\x9b"]


class TestControlCharacters:
    @pytest.mark.parametrize("character", CONTROLS)
    def test_none_reaches_a_model_by_a_question(self, client, character):
        for field, body in [
            ("prompt", {"prompt": f"How many{character} customers are there?"}),
            ("notes", {"prompt": "How many customers are there?", "notes": f"x{character}"}),
        ]:
            sent = client.post("/api/chat", json={"connection_id": "demo", **body})
            problem = refused(sent, 400, "payload_invalid")
            assert f"U+{ord(character):04X}" in problem["errors"][field][0]

    @pytest.mark.parametrize("character", CONTROLS)
    def test_nor_by_what_is_told_of_a_connection(self, client, character):
        term = {"term": "live", "definition": "Ordered lately.", "sql": "id > 1", "synonyms": ["active"]}
        example = {"question": "How many?", "sql": "SELECT COUNT(*) FROM customers", "note": "x"}
        contexts = [{"notes": character + "x"}]
        contexts += [{"terms": [term | {name: f"x{character}"}]} for name in ("term", "definition", "sql")]
        contexts += [{"terms": [term | {"synonyms": [f"x{character}"]}]}]
        for body in contexts:
            refused(client.put("/api/connections/demo/context", json=body), 400, "payload_invalid")
        for name, text in example.items():
            body = example | {name: text + character}
            refused(client.post("/api/connections/demo/examples", json=body), 400, "payload_invalid")

    def test_tabs_and_ends_of_lines_are_no_fault(self, client):
        sent = client.post(
            "/api/chat", json={"connection_id": "demo", "prompt": "How many\tcustomers\r\nare there?\n"}
        )
        assert sent.get_json()["results"]["rows"] == [[240]]


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize(
    ("method", "path", "before", "after"),
    [
        ("PUT", "/api/connections/demo/context/semantic", '{"version": "0.1.1", "semantic_model": [{"name": ', "}]}"),
        ("PUT", "/api/connections/demo/context", '{"references": [{"to": "customers.id", "from": ', "}]}"),
        ("POST", "/api/connections", '{"provider": "sqlite", "name": "deep", "config": {"database": ', "}}"),
        ("POST", "/api/history/latest/feedback", '{"rating": ', "}"),
        ("POST", "/mcp", '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"x": ', "}}"),
    ],
)
def test_a_body_that_is_nested_deeply_is_refused(client, method, path, before, after, opening, closing):
    for levels in (95, 150, 500, 1000):
        body = f"{before}{opening * levels}1{closing * levels}{after}"
        answer = client.open(path, method=method, data=body, content_type="application/json")
        assert answer.status_code == 400 or "error" in answer.json
        assert levels < 100 or path == "/mcp" or "nested" in answer.json["detail"] or "depth" in answer.json["detail"]
