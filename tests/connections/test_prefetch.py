"""Prefetching: one connection after the other, on a thread that is there only while there is something to read."""

import threading
import time

import pytest

from sqlchat.config import Settings
from sqlchat.connections.base import Connection
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.plan import Plan
from sqlchat.connections.prefetch import MOST_WAITING, PAUSE, Prefetcher
from sqlchat.connections.results import Header
from sqlchat.errors import DatabaseUnavailableError
from sqlchat.sql.catalog import Catalog
from sqlchat.workers import Workers

WORKERS = Workers(1, 512)  # which nothing here needs


class Log:
    """Which databases were begun and read whole. Each reading waits for `go`."""

    def __init__(self):
        self.begun, self.read = [], []
        self.go = threading.Event()
        self.most_at_once = self.at_once = 0
        self.error = None


class Database(Connection):
    """One that can be asked for its catalog and its profiles, and for no rows."""

    provider, dialect = "sqlite", "sqlite"

    def __init__(self, name, log):
        self.name, self.log, self._settings = name, log, Settings()

    def catalog(self):
        self.log.begun.append(self.name)
        self.log.at_once += 1
        self.log.most_at_once = max(self.log.most_at_once, self.log.at_once)
        try:
            assert self.log.go.wait(150)
            if self.log.error:
                raise self.log.error
        finally:
            self.log.at_once -= 1
        return Catalog((), "sqlite")

    def read_profiles(self, catalog, timeout):
        self.log.read.append(self.name)
        return {}

    def check(self):
        return []

    def send(self, request, sink):
        sink.begin(Header((), (), (), ()))

    def explain(self, sql, *, max_rows=None):
        return Plan()


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def prefetcher(log):
    made = Prefetcher()
    yield made
    log.go.set()
    made.close()
    until(lambda: not threads())


@pytest.fixture
def database(log):
    def opened(name, key=None):
        return OpenConnection(Database(name, log), Settings(), WORKERS, key=key or name, name=name)

    return opened


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def until(true):
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_is_read_once_one_after_the_other_and_no_thread_stays(prefetcher, log, database):
    assert threads() == []
    for name in ("a", "b", "b", "c", "b"):
        prefetcher.want(database(name))
    assert [thread.daemon for thread in threads()] == [True]
    log.go.set()
    until(lambda: not threads())
    assert (log.read, log.most_at_once) == (["a", "b", "c"], 1)
    prefetcher.want(database("d"))
    until(lambda: log.read[-1] == "d")


def test_one_that_is_dropped_while_it_is_read_is_read_no_further(prefetcher, log, database):
    connection = database("a")
    prefetcher.want(connection)
    until(lambda: log.begun)
    connection.is_dropped = True
    prefetcher.want(database("a", key="newer"))
    log.go.set()
    until(lambda: not threads())
    assert (log.begun, log.read) == (["a", "a"], ["a"])


def test_what_was_read_is_made_ready(log, database):
    ready = []
    prefetcher = Prefetcher(lambda catalog, profiles: ready.append((catalog.dialect, dict(profiles))))
    log.go.set()
    prefetcher.want(database("a"))
    until(lambda: ready)
    prefetcher.close()
    assert ready == [("sqlite", {})]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DatabaseUnavailableError("It is away."), ["It is away."]),
        (ValueError("password=secret"), ["ValueError"]),
    ],
    ids=["away", "unforeseen"],
)
def test_a_failure_is_logged_and_the_next_is_read(prefetcher, log, database, caplog, error, told):
    log.error = error
    log.go.set()
    prefetcher.want(database("a"))
    until(lambda: not threads())
    assert [record.reason for record in caplog.records] == told
    assert "secret" not in caplog.text
    log.error = None
    prefetcher.want(database("b"))
    until(lambda: not threads())
    assert log.read == ["b"]


def test_who_comes_when_many_wait_reads_for_itself(prefetcher, log, database):
    prefetcher.want(database("first"))
    until(lambda: log.begun)
    for number in range(MOST_WAITING + 5):
        prefetcher.want(database(str(number)))
    log.go.set()
    until(lambda: not threads())
    assert len(log.read) == 1 + MOST_WAITING


def test_an_end_is_not_held_up_by_a_reading_and_nothing_follows_it(prefetcher, log, database):
    prefetcher.want(database("a"))
    until(lambda: log.begun)
    prefetcher.want(database("b"))
    started = time.monotonic()
    prefetcher.close()
    assert time.monotonic() - started < 100
    prefetcher.want(database("c"))
    log.go.set()
    until(lambda: not threads())
    assert (log.begun, log.read) == (["a"], [])


def test_who_asks_at_once_has_the_database_alone_for_a_moment(prefetcher, log, database):
    started = time.monotonic()
    prefetcher.want(database("a"))
    until(lambda: log.begun)
    assert time.monotonic() - started >= PAUSE
