"""How often one request goes to a worker process: each trip costs its time and a place among those who wait."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sqlchat.config import Settings
from sqlchat.connections.manager import ConnectionManager
from sqlchat.store import Store
from sqlchat.workers import Workers

from .conftest import OWNER, House

POLICY = {"deny_tables": ["secrets"]}


class CountingWorkers(Workers):
    """Worker processes that tell how often they were called."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trips: list[str] = []  # which the views for owners share

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        self.trips.append(function.__name__)
        return super().call(function, *args, **options)


@pytest.fixture
def counting() -> Iterator[CountingWorkers]:
    made = CountingWorkers(1, 2048)
    yield made
    made.close()


@pytest.mark.parametrize("policy", [None, POLICY], ids=["free", "policed"])
def test_sql_for_a_server_is_looked_at_in_one_trip(
    counting: CountingWorkers, tmp_path: Path, postgres_database: dict[str, Any], policy: dict[str, Any] | None
) -> None:
    settings = Settings(data_dir=tmp_path, private_hosts=True)
    store = Store(settings)
    store.upgrade()
    manager = ConnectionManager(settings, store, counting)
    manager.create(OWNER, "postgres", "shop", postgres_database, policy)
    assert manager.open(OWNER, "shop").catalog  # read and held against the policy, for all requests
    counting.trips.clear()
    connection = manager.open(OWNER, "shop")
    assert connection.run(connection.examine("SELECT 1")).rows == b"[[1]]"
    assert len(counting.trips) == 1
    manager.close()
    store.close()


@pytest.mark.parametrize("policy", [None, POLICY], ids=["free", "policed"])
def test_a_question_on_sqlite_takes_three_trips(
    house: House, counting: CountingWorkers, policy: dict[str, Any] | None
) -> None:
    manager = ConnectionManager(house.settings, house.store, counting)
    manager.create("counted", "sqlite", "shop", {"database": "shop.sqlite"}, policy)
    counted = House(house.settings, manager, house.store, counting)

    def ask() -> Any:
        return counted.pipeline.answer(
            counted.question("How many customers are in Germany?", owner="counted", provider="offline")
        )

    ask()  # reads catalog and profiles
    counting.trips.clear()
    assert ask().results.row_count == 1
    assert len(counting.trips) == 3, counting.trips  # examined, explained, run
    counted.factory.close()
    manager.close()
