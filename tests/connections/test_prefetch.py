"""Reading ahead: one connection after the other, on a thread that is there only while there is something to read."""

import threading
import time

import pytest

from sqlchat.connections.prefetch import MOST_WAITING, PAUSE, Prefetcher
from sqlchat.errors import ConnectionNotFoundError, DatabaseUnavailableError

OWNER = "owner-1"


class Reading:
    """Reads in two steps, each of which waits for `go`, and remembers what was begun and what was read whole."""

    def __init__(self):
        self.begun, self.read = [], []
        self.go = threading.Event()
        self.most_at_once = self._at_once = 0
        self.error = None

    def __call__(self, owner, name):
        self.begun.append(name)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            assert self.go.wait(30)
            yield "first"
            if self.error:
                raise self.error
            yield "second"
            self.read.append(name)
        finally:
            self._at_once -= 1


@pytest.fixture
def reading():
    return Reading()


@pytest.fixture
def ahead(reading):
    made = Prefetcher(reading)
    yield made
    reading.go.set()
    made.close()
    until(lambda: not threads())


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


def until(true):
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_is_read_once_one_after_the_other_and_no_thread_stays(ahead, reading):
    assert threads() == []
    for name in ("a", "b", "b", "c", "b"):
        ahead.want(OWNER, name)
    assert [thread.daemon for thread in threads()] == [True]
    reading.go.set()
    until(lambda: not threads())
    assert (reading.read, reading.most_at_once) == (["a", "b", "c"], 1)
    ahead.want(OWNER, "d")
    until(lambda: reading.read[-1] == "d")


def test_one_that_changes_while_it_is_read_is_read_anew(ahead, reading):
    ahead.want(OWNER, "a")
    until(lambda: reading.begun)
    ahead.want(OWNER, "a")
    reading.go.set()
    until(lambda: not threads())
    assert (reading.begun, reading.read) == (["a", "a"], ["a"])


def test_the_same_name_of_another_owner_is_another(ahead, reading):
    reading.go.set()
    ahead.want(OWNER, "a")
    ahead.want("owner-2", "a")
    until(lambda: not threads())
    assert reading.read == ["a", "a"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DatabaseUnavailableError("It is away."), ["It is away."]),
        (ConnectionNotFoundError("There is none."), []),
        (ValueError("password=secret"), ["ValueError"]),
    ],
    ids=["away", "deleted", "unforeseen"],
)
def test_a_failure_is_logged_and_the_next_is_read(ahead, reading, caplog, error, told):
    reading.error = error
    reading.go.set()
    ahead.want(OWNER, "a")
    until(lambda: not threads())
    assert [record.reason for record in caplog.records] == told
    assert "secret" not in caplog.text
    reading.error = None
    ahead.want(OWNER, "b")
    until(lambda: not threads())
    assert reading.read == ["b"]


def test_who_comes_when_many_wait_reads_for_itself(ahead, reading):
    ahead.want(OWNER, "first")
    until(lambda: reading.begun)
    for number in range(MOST_WAITING + 5):
        ahead.want(OWNER, str(number))
    reading.go.set()
    until(lambda: not threads())
    assert len(reading.read) == 1 + MOST_WAITING


def test_an_end_is_not_held_up_by_a_reading_and_nothing_follows_it(ahead, reading):
    ahead.want(OWNER, "a")
    until(lambda: reading.begun)
    ahead.want(OWNER, "b")
    started = time.monotonic()
    ahead.close()
    assert time.monotonic() - started < 10
    ahead.want(OWNER, "c")
    reading.go.set()
    until(lambda: not threads())
    assert (reading.begun, reading.read) == (["a"], [])


def test_who_asks_at_once_has_the_database_alone_for_a_moment(ahead, reading):
    started = time.monotonic()
    ahead.want(OWNER, "a")
    until(lambda: reading.begun)
    assert time.monotonic() - started >= PAUSE
