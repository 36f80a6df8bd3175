"""Credentials at rest: what lies in the store's file opens only for its owner, with its key."""

import dataclasses
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from sqlchat.config import Settings
from sqlchat.errors import UnavailableError
from sqlchat.store.encryption import derive_keys

CONFIG = {"host": "db.example.com", "password": "open sesame"}
OLD, NEW = "old-" * 10, "new-" * 10


def tamper(settings, statement, **values):
    """What someone with access to the store's database could do to a row."""
    from sqlchat.store.engine import Database

    database = Database(settings)
    with database.writing() as connection:
        connection.execute(text(statement), values)
    database.close()


def test_the_stores_files_hold_no_plain_text(embedded, make_store):
    make_store(embedded).connections.add("ann", "warehouse", "postgres", CONFIG)
    stored = b"".join(path.read_bytes() for path in embedded.state_dir.iterdir())
    assert b"warehouse" in stored
    assert b"sesame" not in stored
    assert b"db.example.com" not in stored


def test_the_state_folder_and_key_are_closed_to_others(embedded, make_store):
    embedded.state_dir.mkdir(parents=True, mode=0o755)
    make_store(embedded).connections.add("ann", "warehouse", "postgres", CONFIG)
    assert stat.S_IMODE(embedded.state_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((embedded.state_dir / "secret.key").stat().st_mode) == 0o600


def test_of_many_who_start_at_once_all_get_the_same_key(tmp_path):
    settings = [Settings(data_dir=tmp_path / "data") for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda s: derive_keys(s, "test"), settings))
    assert len(keys) == 1


def test_each_purpose_has_its_own_keys(embedded):
    assert derive_keys(embedded, "one") == derive_keys(embedded, "one")
    assert derive_keys(embedded, "one") != derive_keys(embedded, "two")


@pytest.mark.parametrize("column", ["owner", "name", "id"])
def test_a_row_moved_to_another_owner_or_name_stays_closed(settings, store, column):
    store.connections.add("ann", "warehouse", "postgres", CONFIG)
    where = "connections" if store.embedded else "sqlchat.connections"
    tamper(settings, f"UPDATE {where} SET {column} = 'other'")
    owner, name = ("other" if column == "owner" else "ann"), ("other" if column == "name" else "warehouse")
    with pytest.raises(UnavailableError, match="cannot be decrypted") as caught:
        store.connections.get(owner, name)
    assert "sesame" not in str(caught.value)
    store.connections.delete(owner, name)


@pytest.mark.parametrize("garbage", ["", "x", "ü", "gAAAAA==", "{}"])
def test_a_broken_row_is_said_to_be_broken(embedded, make_store, garbage):
    store = make_store(embedded)
    store.connections.add("ann", "warehouse", "postgres", CONFIG)
    tamper(embedded, "UPDATE connections SET config = :garbage", garbage=garbage)
    with pytest.raises(UnavailableError, match="'warehouse' cannot be decrypted"):
        store.connections.get("ann", "warehouse")


def test_keys_rotate(settings, store, make_store):
    def with_key(key):
        return make_store(dataclasses.replace(settings, secret_key=key))

    with_key(OLD).connections.add("ann", "old", "postgres", CONFIG)
    both = with_key(f"{NEW},{OLD}")
    assert both.connections.get("ann", "old").config == CONFIG
    both.connections.add("ann", "new", "postgres", CONFIG)
    assert with_key(NEW).connections.get("ann", "new").config == CONFIG
    with pytest.raises(UnavailableError):
        with_key(NEW).connections.get("ann", "old")
    assert both.connections.reencrypt() == 2
    assert with_key(NEW).connections.get("ann", "old").config == CONFIG


def test_a_key_that_is_set_later_still_opens_what_the_key_file_closed(embedded, make_store):
    make_store(embedded).connections.add("ann", "warehouse", "postgres", CONFIG)
    keyed = make_store(dataclasses.replace(embedded, secret_key=NEW))
    assert keyed.connections.get("ann", "warehouse").config == CONFIG


def test_the_database_alone_is_of_no_use(embedded, make_store, tmp_path):
    first = make_store(embedded)
    first.connections.add("ann", "warehouse", "postgres", CONFIG)
    first.close()
    thief = Settings(data_dir=tmp_path / "stolen")
    thief.state_dir.mkdir(parents=True)
    shutil.copy(embedded.state_dir / "store.db", thief.state_dir / "store.db")
    with pytest.raises(UnavailableError, match="cannot be decrypted"):
        make_store(thief).connections.get("ann", "warehouse")
