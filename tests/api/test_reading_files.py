"""The object `read`: taken by profiles, uploads and connections, told in answers, remembered with an upload."""

import io
import json

import pytest

AMOUNTS = b"part;amount\nbolt;1.234\nnut;2.500\n"
GERMAN = {"decimal": ",", "thousands": "."}


@pytest.fixture
def send(client):
    def send(route, content, name="amounts.csv", read=None, query="upsert=true"):
        data = {"file": (io.BytesIO(content), name)} | ({"read": json.dumps(read)} if read is not None else {})
        return client.post(f"/api/files/{route}?{query}", data=data)

    return send


@pytest.fixture
def total(client):
    """total(entry) -> the sum of the amounts of a connection to that file."""

    def total(entry):
        client.delete("/api/connections/amounts")
        config = {"files": [entry]}
        made = client.post("/api/connections", json={"provider": "files", "name": "amounts", "config": config})
        assert made.status_code == 201, made.get_json()
        sql = 'SELECT sum("amount") FROM amounts'
        answer = client.post("/api/execute", json={"connection_id": "amounts", "sql": sql}).get_json()
        return float(answer["results"]["rows"][0][0])

    yield total
    client.delete("/api/connections/amounts")


def test_what_was_used_is_told_and_can_be_sent_back(send):
    found = send("profile", AMOUNTS, read=GERMAN, query="").get_json()
    assert found["read"] | GERMAN | {"header_row": 1, "delimiter": ";", "encoding": "utf-8"} == found["read"]
    assert found["columns"][1]["max"] == 2500
    again = send("profile", AMOUNTS, read=found["read"], query="").get_json()
    assert again == found


def test_a_connection_uses_what_its_upload_said_unless_it_says_it_itself(send, total):
    assert send("upload", AMOUNTS, read=GERMAN).status_code == 201
    assert total("uploads/amounts.csv") == 3734
    assert total({"path": "uploads/amounts.csv", "read": {"decimal": "."}}) == 3.734
    assert send("upload", AMOUNTS, read={"decimal": "."}).status_code == 201
    assert total({"path": "uploads/amounts.csv", "table": "amounts"}) == 3.734


@pytest.mark.parametrize(
    ("read", "word"),
    [
        ({"delimeter": ";"}, "delimeter"),
        ({"header_row": -1}, "header_row"),
        ({"header_row": "three"}, "header_row"),
        ({"header_row": 2, "skip_rows": 5}, "header_row"),
        ({"header_row": 99}, "none is left to name the columns"),
        ({"encoding": "klingon"}, "encoding"),
        ({"encoding": "base64"}, "encoding"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"decimal": "x"}, "decimal"),
        ({"decimal": ",", "thousands": ","}, "thousands"),
        ({"nulls": 5}, "nulls"),
        ({"date_order": "ydm"}, "date_order"),
        ({"types": {"amount": "MONEY"}}, "MONEY"),
        ({"types": {"nobody": "TEXT"}}, "nobody"),
        ({"types": {"part": "INTEGER"}}, "part"),
        ({"on_bad_rows": "ignore"}, "on_bad_rows"),
        ({"totals": "sum"}, "totals"),
        ([1], "object"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(send, client, read, word):
    for route in ("profile", "upload"):
        refused = send(route, AMOUNTS, name="refused.csv", read=read, query="")
        assert refused.status_code == 400
        assert word in json.dumps(refused.get_json())


def test_a_connection_refuses_an_unknown_option(client, send):
    send("upload", AMOUNTS)
    config = {"files": [{"path": "uploads/amounts.csv", "read": {"delimeter": ";"}}]}
    refused = client.post("/api/connections", json={"provider": "files", "name": "amounts", "config": config})
    assert refused.status_code == 400
    assert "delimeter" in refused.get_json()["detail"]


def test_a_name_with_a_no_break_space(send, total):
    stored = send("upload", b"amount\n2\n3\n", name="sales\u00a0may.csv").get_json()["storage_path"]
    assert total({"path": stored, "table": "amounts"}) == 5


@pytest.mark.parametrize("head", ['name="file"', 'name="file"\r\nContent-Type: text/csv', 'name="file"; filename=""'])
@pytest.mark.parametrize("route", ["upload", "profile"])
def test_a_part_without_a_file_name_is_refused(client, route, head):
    body = f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\na\n1\n\r\n--b--\r\n"
    answer = client.post(f"/api/files/{route}", data=body, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "payload_invalid")
