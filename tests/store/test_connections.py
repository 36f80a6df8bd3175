"""Definitions of connections, on SQLite and Postgres."""

import contextlib
import dataclasses
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from sqlchat.errors import ConflictError, ConnectionNotFoundError, PayloadError
from sqlchat.store.connections import TRUSTED

CONFIG = {"host": "db.example.com", "password": "open sesame ünïcode", "port": 5432}


def test_what_was_added_is_there_in_another_process(store, settings, make_store):
    made = store.connections.add("ann", "warehouse", "postgres", CONFIG)
    assert make_store(settings).connections.get("ann", "warehouse") == made
    assert (made.owner, made.name, made.provider, made.config) == ("ann", "warehouse", "postgres", CONFIG)
    assert abs(made.created_at - datetime.now(UTC)) < timedelta(minutes=10)


def test_a_name_is_taken_once_by_each_owner(store):
    store.connections.add("ann", "warehouse", "postgres", CONFIG)
    with pytest.raises(ConflictError, match="already a connection named 'warehouse'"):
        store.connections.add("ann", "warehouse", "sqlite", {})
    store.connections.add("bob", "warehouse", "sqlite", {})
    assert store.connections.get("ann", "warehouse").provider == "postgres"


def test_of_many_who_want_a_name_at_once_one_gets_it(store, settings, make_store):
    def add(other):
        try:
            return other.connections.add("ann", "warehouse", "sqlite", {}).id
        except ConflictError:
            return None

    with ThreadPoolExecutor(6) as threads:
        ids = [id for id in threads.map(add, [make_store(settings) for _ in range(6)]) if id]
    assert ids == [store.connections.get("ann", "warehouse").id]


def test_another_owners_connection_is_unknown(store):
    store.connections.add("ann", "warehouse", "postgres", CONFIG)
    for call in (store.connections.get, store.connections.version, store.connections.delete):
        with pytest.raises(ConnectionNotFoundError, match="no connection named 'warehouse'"):
            call("bob", "warehouse")
    assert store.connections.list("bob") == []
    assert store.connections.version("ann", "warehouse")


def test_list_is_sorted_by_name(store):
    for name in ("b", "ä", "a", "B"):
        store.connections.add("ann", name, "sqlite", {"database": name})
    assert [d.name for d in store.connections.list("ann")] == ["B", "a", "b", "ä"]


def test_a_deleted_connection_is_gone_everywhere_at_once(store, settings, make_store):
    other = make_store(settings)
    store.connections.add("ann", "warehouse", "postgres", CONFIG)
    before = other.connections.version("ann", "warehouse")
    other.connections.delete("ann", "warehouse")
    with pytest.raises(ConnectionNotFoundError):
        store.connections.version("ann", "warehouse")
    store.connections.add("ann", "warehouse", "postgres", CONFIG)
    assert other.connections.version("ann", "warehouse") != before


@pytest.mark.parametrize("name", ["\0", "a\0b", "\ud800"])
def test_a_name_that_no_database_can_hold_is_refused_and_unknown(store, name):
    with pytest.raises(PayloadError):
        store.connections.add("ann", name, "sqlite", {})
    for call in (store.connections.get, store.connections.version, store.connections.delete):
        with pytest.raises(ConnectionNotFoundError):
            call("ann", name)


@pytest.mark.parametrize("name", ["'; DROP TABLE connections; --", "%s", ":name", "日本語", "x" * 500])
def test_any_other_name_is_just_a_name(store, name):
    store.connections.add(name, name, "sqlite", {"database": name})
    assert store.connections.get(name, name).config == {"database": name}


def test_nothing_that_is_shown_holds_the_config(store):
    made = store.connections.add("ann", "warehouse", "postgres", CONFIG)
    for shown in (repr(made), str(made), f"{store.connections.list('ann')}"):
        assert "sesame" not in shown
        assert "db.example.com" not in shown
    assert "config" in {field.name for field in dataclasses.fields(made)}


@pytest.mark.parametrize("policy", [None, {"deny_tables": ["salaries", "größe"]}])
def test_a_policy_is_kept_with_its_definition(store, settings, make_store, policy):
    store.connections.add("ann", "warehouse", "postgres", CONFIG, policy)
    assert make_store(settings).connections.get("ann", "warehouse").policy == policy
    assert [each.policy for each in store.connections.list("ann")] == [policy]


@pytest.mark.parametrize("privacy", ["schema", "samples", "rows"])
def test_what_a_model_may_see_is_kept_with_its_definition(store, settings, make_store, privacy):
    made = store.connections.add("ann", "warehouse", "postgres", CONFIG, privacy=privacy)
    assert make_store(settings).connections.get("ann", "warehouse") == made
    assert [each.privacy for each in store.connections.list("ann")] == [privacy]


def test_a_model_may_see_samples_unless_told_otherwise(store):
    assert store.connections.add("ann", "warehouse", "postgres", CONFIG).privacy == "samples"
    assert store.connections.get("ann", "warehouse").privacy == "samples"


CHANGES = {"config": {"password": "another sesame"}, "policy": {"deny_tables": ["pay"]}, "privacy": "schema"}


@pytest.mark.parametrize("changed", [("config",), ("policy",), ("privacy",), ("config", "policy", "privacy")])
def test_a_change_keeps_the_id_and_what_it_does_not_name(store, settings, make_store, changed):
    made = store.connections.add("ann", "warehouse", "postgres", CONFIG, {"deny_tables": ["hr"]}, privacy="rows")
    changes = {name: CHANGES[name] for name in changed}
    after = store.connections.change(made, changes)
    assert after == dataclasses.replace(made, version=made.version + 1, **changes)
    other = make_store(settings).connections
    assert other.get("ann", "warehouse") == after
    assert other.version("ann", "warehouse") == (made.id, made.version + 1)


def test_a_policy_can_be_removed(store):
    made = store.connections.add("ann", "warehouse", "postgres", CONFIG, {"deny_tables": ["hr"]})
    assert store.connections.change(made, {"policy": None}).policy is None


def test_what_was_deleted_meanwhile_is_not_changed_nor_is_its_successor(store):
    made = store.connections.add("ann", "warehouse", "postgres", CONFIG)
    store.connections.delete("ann", "warehouse")
    with pytest.raises(ConnectionNotFoundError):
        store.connections.change(made, CHANGES)
    again = store.connections.add("ann", "warehouse", "postgres", CONFIG)
    with pytest.raises(ConnectionNotFoundError):
        store.connections.change(made, CHANGES)
    assert store.connections.get("ann", "warehouse") == again


def test_changes_at_once_are_each_whole_and_all_counted(store, settings, make_store):
    made = store.connections.add("ann", "warehouse", "postgres", CONFIG)
    stores = [make_store(settings) for _ in range(6)]

    def change(numbered):
        number, other = numbered
        other.connections.change(made, {"config": {"n": number}, "policy": {"deny_tables": [f"t{number}"]}})

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(change, enumerate(stores)))
    found = store.connections.get("ann", "warehouse")
    assert found.policy == {"deny_tables": [f"t{found.config['n']}"]}
    assert found.version == made.version + 6


CHANGING = """
import sys
from pathlib import Path
from sqlchat.config import Settings
from sqlchat.store import Store
store = Store(Settings(data_dir=Path(sys.argv[1])))
store.connections.touch("ann", "warehouse")
store.close()
"""


def test_a_change_by_another_process_is_seen_at_once(embedded, make_store):
    connections = make_store(embedded).connections
    connections.add("ann", "warehouse", "postgres", CONFIG)
    id, version = connections.version("ann", "warehouse")
    for changes in range(1, 4):
        subprocess.run([sys.executable, "-c", CHANGING, embedded.data_dir], check=True, timeout=300)
        assert connections.version("ann", "warehouse") == (id, version + changes)


def test_a_change_whose_writer_was_killed_before_it_told_is_seen_soon(embedded, make_store):
    connections = make_store(embedded).connections
    connections.add("ann", "warehouse", "postgres", CONFIG)
    id, version = connections.version("ann", "warehouse")
    with contextlib.closing(sqlite3.connect(embedded.state_dir / "store.db")) as file:
        file.execute("UPDATE connections SET version = version + 1")
        file.commit()
    time.sleep(TRUSTED)
    assert connections.version("ann", "warehouse") == (id, version + 1)
