"""Connections whose secret was stored with a key that is gone."""

import dataclasses

import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings


@pytest.fixture
def client(tmp_path):
    """Of a service with one connection of before its key was lost, and one of after."""
    first, second = "a" * 40, "b" * 40
    settings = Settings(data_dir=tmp_path, secret_key=first)
    for key, name in ((first, "before"), (second, "after")):
        app = create_app(dataclasses.replace(settings, secret_key=key))
        body = {"provider": "duckdb", "name": name, "config": {"database": ":memory:"}}
        assert app.test_client().post("/api/connections", json=body).status_code == 201
        if key == second:
            yield app.test_client()
        app.extensions["sqlchat"].close()


def test_the_list_shows_which_one_it_is(client):
    listed = client.get("/api/connections")
    assert listed.status_code == 200
    states = {each["name"]: each["status"]["state"] for each in listed.get_json()["connections"]}
    assert (states["before"], states["after"]) == ("unreadable", "unknown")
    (told,) = [each for each in listed.get_json()["connections"] if each["name"] == "before"]
    assert told["provider"] == "DuckDBConnection"
    assert "SQLCHAT_SECRET_KEY" in told["status"]["warnings"][0]


def test_so_does_the_connection_itself(client):
    shown = client.get("/api/connections/before").get_json()
    assert shown["status"]["state"] == "unreadable"
    assert client.get("/api/connections/after").get_json()["status"]["state"] == "ready"


def test_it_cannot_be_asked_and_the_others_can(client):
    for name, status in (("before", 503), ("after", 200)):
        asked = client.post("/api/execute", json={"connection_id": name, "sql": "SELECT 1"})
        assert asked.status_code == status


def test_a_new_config_mends_it_and_nothing_less_does(client):
    assert client.patch("/api/connections/before", json={"privacy": "schema"}).status_code == 503
    changed = client.patch("/api/connections/before", json={"config": {"database": ":memory:"}})
    assert changed.status_code == 200, changed.text
    assert client.post("/api/execute", json={"connection_id": "before", "sql": "SELECT 1"}).status_code == 200


def test_it_can_be_deleted_and_costs_no_file_its_removal(client):
    assert client.delete("/api/files/uploads/none.csv").status_code == 404
    assert client.delete("/api/connections/before").status_code == 200
    assert "before" not in {each["name"] for each in client.get("/api/connections").get_json()["connections"]}
