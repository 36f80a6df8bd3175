"""How often one request goes to a worker process: each trip costs its time and a place among those who wait."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from sqlchat.config import Settings
from sqlchat.connections.embedded import perform
from sqlchat.connections.manager import ConnectionManager
from sqlchat.errors import SQLRefusedError
from sqlchat.store import Store
from sqlchat.workers import Workers

from .conftest import OWNER, House

POLICY = {"deny_tables": ["secrets"]}
Managers = Callable[[], ConnectionManager]


class CountingWorkers(Workers):
    """Worker processes that tell how often they were called."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trips: list[str] = []  # which the views for owners share

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        act = args[2] if function is perform else function  # what an embedded database is asked to do
        self.trips.append(act.__name__)
        return super().call(function, *args, **options)


@pytest.fixture
def counting() -> Iterator[CountingWorkers]:
    made = CountingWorkers(1, 2048)
    yield made
    made.close()


@pytest.fixture
def own(postgres_database: dict[str, Any]) -> Callable[[str], None]:
    """Runs statements as the role that owns the database."""

    def execute(sql: str) -> None:
        fields = {name: postgres_database[name] for name in ("host", "port", "user", "password")}
        with contextlib.closing(psycopg2.connect(dbname=postgres_database["database"], **fields)) as connection:
            connection.autocommit = True
            connection.cursor().execute(sql)

    return execute


@pytest.fixture
def manager(
    counting: CountingWorkers, tmp_path: Path, postgres_database: dict[str, Any], managers: Managers
) -> ConnectionManager:
    made = managers()
    made.create(OWNER, "postgres", "shop", postgres_database)
    assert made.open(OWNER, "shop").catalog  # read for all requests
    counting.trips.clear()
    return made


@pytest.fixture
def managers(counting: CountingWorkers, tmp_path: Path) -> Iterator[Managers]:
    """Makes managers, each with a store of its own, as each web process has."""
    with contextlib.ExitStack() as stack:

        def make() -> ConnectionManager:
            settings = Settings(data_dir=tmp_path, private_hosts=True)
            store = Store(settings)
            store.upgrade()
            stack.callback(store.close)
            made = ConnectionManager(settings, store, counting)
            stack.callback(made.close)
            return made

        yield make


def run(manager: ConnectionManager, sql: str) -> bytes:
    connection = manager.open(OWNER, "shop")
    return connection.run(connection.examine(sql)).rows


@pytest.mark.parametrize("policy", [None, POLICY], ids=["free", "policed"])
def test_sql_for_a_server_is_looked_at_in_one_trip_and_the_same_again_in_none(
    counting: CountingWorkers, manager: ConnectionManager, policy: dict[str, Any] | None
) -> None:
    if policy:
        manager.change(OWNER, "shop", {"policy": policy})
        assert manager.open(OWNER, "shop").catalog
        counting.trips.clear()
    for number in (1, 1, 2, 1, 2):
        assert run(manager, f"SELECT {number}") == b"[[%d]]" % number
    assert counting.trips == ["examine", "examine"]


def test_what_was_refused_is_looked_at_again(counting: CountingWorkers, manager: ConnectionManager) -> None:
    for _ in range(2):
        with pytest.raises(SQLRefusedError):
            run(manager, "SELECT pg_read_file('x')")
    assert counting.trips == ["examine", "examine"]


@pytest.mark.parametrize("by", ["this process", "another process"])
def test_an_examination_never_outlives_its_policy(
    manager: ConnectionManager, managers: Managers, own: Callable[[str], Any], by: str
) -> None:
    own("CREATE TABLE secrets (n int); INSERT INTO secrets VALUES (7)")
    manager.refresh(OWNER, "shop")
    assert run(manager, "SELECT n FROM secrets") == b"[[7]]"
    changer = manager if by == "this process" else managers()
    changer.change(OWNER, "shop", {"policy": POLICY})
    with pytest.raises(SQLRefusedError, match="secrets"):
        run(manager, "SELECT n FROM secrets")
    changer.change(OWNER, "shop", {"policy": None})
    assert run(manager, "SELECT n FROM secrets") == b"[[7]]"


@pytest.mark.parametrize("by", ["this process", "another process"])
def test_an_examination_never_outlives_its_catalog(
    counting: CountingWorkers, manager: ConnectionManager, managers: Managers, own: Callable[[str], Any], by: str
) -> None:
    """A function of the user's own under an allowed name is volatile: nothing that calls it may run any more."""
    sql = "SELECT lower('A')"
    assert run(manager, sql) == b'[["a"]]'
    own("CREATE SCHEMA mine; CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'x' $$")
    (manager if by == "this process" else managers()).refresh(OWNER, "shop")
    with pytest.raises(SQLRefusedError, match="lower"):
        run(manager, sql)
    own("DROP FUNCTION lower(varchar)")
    manager.refresh(OWNER, "shop")
    counting.trips.clear()
    assert run(manager, sql) == b'[["a"]]'
    assert counting.trips == ["examine"]


def test_an_examination_does_not_serve_another_owner_or_a_new_connection_of_the_name(
    counting: CountingWorkers, manager: ConnectionManager, postgres_database: dict[str, Any]
) -> None:
    assert run(manager, "SELECT 1") == b"[[1]]"
    manager.create("other", "postgres", "shop", postgres_database)
    counting.trips.clear()
    assert manager.open("other", "shop").examine("SELECT 1").sql == "SELECT 1"
    assert counting.trips == ["examine"]
    manager.delete(OWNER, "shop")
    manager.create(OWNER, "postgres", "shop", postgres_database)
    assert run(manager, "SELECT 1") == b"[[1]]"
    assert counting.trips == ["examine", "examine"]


@pytest.mark.parametrize("policy", [None, POLICY], ids=["free", "policed"])
def test_a_question_on_sqlite_takes_three_trips_and_the_same_again_two(
    house: House, counting: CountingWorkers, policy: dict[str, Any] | None
) -> None:
    manager = ConnectionManager(house.settings, house.store, counting)
    manager.create("counted", "sqlite", "shop", {"database": "shop.sqlite"}, policy)
    counted = House(house.settings, manager, house.store, counting)

    def ask(country: str) -> Any:
        counting.trips.clear()
        return counted.pipeline.answer(
            counted.question(f"How many customers are in {country}?", owner="counted", provider="offline")
        )

    ask("Germany")  # reads catalog and profiles
    assert ask("Spain").results.row_count == 1
    assert counting.trips == ["examine", "explain", "run"]
    assert ask("Spain").results.row_count == 1
    assert counting.trips == ["explain", "run"]
    counted.factory.close()
    manager.close()
