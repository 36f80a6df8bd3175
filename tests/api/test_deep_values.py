"""JSON values that are nested deeper than common readers of JSON go."""

import json

import pytest


def connect(client, name, provider, config):
    sent = client.post("/api/connections", json={"provider": provider, "name": name, "config": config})
    assert sent.status_code == 201, sent.text


def cell(client, name, sql):
    sent = client.post("/api/execute", json={"connection_id": name, "sql": sql})
    assert sent.status_code == 200, sent.text
    ((value,),) = json.loads(sent.text)["results"]["rows"]
    return value


def nested(depth):
    return "[" * depth + "1" + "]" * depth


@pytest.mark.parametrize("type", ["json", "jsonb"])
def test_on_postgres_they_are_text(client, postgres_database, type):
    connect(client, f"deep-{type}", "postgres", postgres_database)
    for depth in (61, 500, 3000):
        sql = f"SELECT (repeat('[', {depth}) || '1' || repeat(']', {depth}))::{type} AS v"
        assert cell(client, f"deep-{type}", sql) == nested(depth)
    assert cell(client, f"deep-{type}", f"SELECT '{nested(60)}'::{type} AS v") == json.loads(nested(60))
    within = f"SELECT ARRAY[(repeat('[', 900) || repeat(']', 900))::{type}] AS v"
    assert cell(client, f"deep-{type}", within) == ["[" * 900 + "]" * 900]


def test_on_duckdb_too(client):
    connect(client, "deep-duckdb", "duckdb", {"database": ":memory:"})
    for depth in (61, 500, 3000):
        sql = f"SELECT (repeat('[', {depth}) || '1' || repeat(']', {depth}))::JSON AS v"
        assert cell(client, "deep-duckdb", sql) == nested(depth)
    assert cell(client, "deep-duckdb", f"SELECT {nested(100)} AS v") == nested(100)
    assert cell(client, "deep-duckdb", f"SELECT {nested(50)} AS v") == json.loads(nested(50))
