"""The demo shop, its catalog as the service reads it, and a way to ask the built-in engine about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sqlchat import demo
from sqlchat.connections.sqlite import catalog as sqlite
from sqlchat.providers.base import Draft, Task
from sqlchat.providers.offline.engine import OfflineProvider
from sqlchat.sql.catalog import Catalog

TODAY = date(2025, 11, 20)
Values = Mapping[tuple[str, str, str], tuple[str, ...]]


@dataclass(frozen=True)
class Shop:
    path: Path
    database: sqlite3.Connection
    catalog: Catalog
    values: Values

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.database.execute(sql).fetchall()


def read_catalog(database: sqlite3.Connection) -> Catalog:
    return sqlite.read(lambda sql, *values: database.execute(sql, values).fetchall(), sqlite3.Error)


def read_values(database: sqlite3.Connection, catalog: Catalog) -> Values:
    found = {}
    for table in catalog.tables:
        for column in table.columns:
            rows = database.execute(f'SELECT DISTINCT "{column.name}" FROM "{table.name}" LIMIT 201').fetchall()
            if column.type == "TEXT" and len(rows) <= 200:
                found[table.schema, table.name, column.name] = tuple(row[0] for row in rows if row[0] is not None)
    return found


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    path = tmp_path_factory.mktemp("demo") / "shop.sqlite"
    demo.build_demo(path)
    with closing(sqlite3.connect(path)) as database:
        catalog = read_catalog(database)
        yield Shop(path, database, catalog, read_values(database, catalog))


@pytest.fixture(scope="session")
def ask(shop: Shop) -> Callable[[str], Draft]:
    """The engine's draft for a question on the shop, on a fixed day."""
    provider = OfflineProvider(today=lambda: TODAY)
    return lambda question: provider.draft(Task(question, shop.catalog, values=shop.values))


class Databases:
    """Small databases, each made once by its script, and the engine's answers on them as of one day."""

    def __init__(self, today: date):
        self._provider = OfflineProvider(today=lambda: today)
        self._made: dict[str, tuple[sqlite3.Connection, Catalog, Values]] = {}

    def ask(self, script: str, question: str) -> tuple[Draft, list[tuple[Any, ...]]]:
        """The engine's draft for a question on the script's database, and its rows."""
        if script not in self._made:
            database = sqlite3.connect(":memory:")
            database.executescript(script)
            catalog = read_catalog(database)
            self._made[script] = database, catalog, read_values(database, catalog)
        database, catalog, values = self._made[script]
        draft = self._provider.draft(Task(question, catalog, values=values))
        return draft, database.execute(draft.sql).fetchall()

    def close(self) -> None:
        for database, _, _ in self._made.values():
            database.close()


@pytest.fixture(scope="session")
def asking() -> Iterator[Callable[[str, str], tuple[Draft, list[tuple[Any, ...]]]]]:
    """The engine's draft, and its rows, for a question on a small database told by the script that makes it."""
    with closing(Databases(TODAY)) as databases:
        yield databases.ask
