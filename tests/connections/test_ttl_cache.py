"""A value that takes long to read: how long it is kept, and who reads it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sqlchat.connections.ttl_cache import TtlCache


class Source:
    """Counts its reads; holds them while `gate` is closed."""

    def __init__(self):
        self.reads, self.gate, self.error = 0, threading.Event(), None
        self.gate.set()

    def __call__(self):
        self.reads += 1
        self.gate.wait(150)
        if self.error:
            raise self.error
        return self.reads


@pytest.fixture
def source():
    return Source()


def test_a_value_is_read_once(source):
    cached = TtlCache(source, 60)
    assert [cached.get(), cached.get()] == [1, 1]


def test_refresh_and_another_basis_read_anew(source):
    cached = TtlCache(source, 60)
    assert [cached.get(of="a"), cached.get(of="a"), cached.get(of="b"), cached.get(of="b", refresh=True)] == [
        1,
        1,
        2,
        3,
    ]


def test_past_its_time_a_value_is_read_anew(source):
    cached = TtlCache(source, 0.01)
    cached.get()
    time.sleep(0.02)
    assert cached.get() == 2


def test_those_who_come_together_share_one_read(source):
    cached, found = TtlCache(source, 60), []
    source.gate.clear()
    threads = [threading.Thread(target=lambda: found.append(cached.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    source.gate.set()
    for thread in threads:
        thread.join()
    assert found == [1] * 8


@pytest.mark.parametrize(("age", "found"), [(1100, 1), (2100, 2)])
def test_while_one_reads_anew_the_others_go_on_with_what_there_was_for_a_while(monkeypatch, source, age, found):
    cached, clock = TtlCache(source, 1000), time.monotonic
    cached.get()
    monkeypatch.setattr("sqlchat.connections.ttl_cache.time.monotonic", lambda: clock() + age)
    source.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        reader = pool.submit(cached.get)
        while source.reads < 2:
            time.sleep(0.001)
        other = pool.submit(cached.get)
        if found == 1:
            assert other.result(60) == 1
        time.sleep(0.05)
        assert other.done() is (found == 1)
        source.gate.set()
        assert (reader.result(), other.result(), cached.get(refresh=True)) == (2, found, 3)


def test_what_is_asked_for_anew_is_no_reading_that_began_before(source):
    cached = TtlCache(source, 60)
    source.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        reader = pool.submit(cached.get)
        while source.reads < 1:
            time.sleep(0.001)
        anew, other = pool.submit(cached.get, refresh=True), pool.submit(cached.get)
        reading = cached._flight
        while not (reading._waiters and reading._condition._waiters):  # both wait for it, each in its own way
            time.sleep(0.001)
        source.gate.set()
        assert (reader.result(), anew.result(), other.result(), cached.get()) == (1, 2, 1, 2)


def test_an_error_is_shared_but_not_kept(source):
    cached, found = TtlCache(source, 60), []
    source.error = ValueError("gone")
    source.gate.clear()

    def ask():
        with pytest.raises(ValueError, match="gone") as caught:
            cached.get()
        found.append(caught.value)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    source.gate.set()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    source.error = None
    assert cached.get() > 0


def test_it_is_read_anew_once_its_source_is_another(source):
    kinds = ["a"]
    cached = TtlCache(source, 60, lambda: kinds[-1])
    assert (cached.get(), cached.get()) == (1, 1)
    kinds.append("b")
    assert (cached.get(), cached.get(), cached.get(refresh=True)) == (2, 2, 3)


def test_a_glance_keeps_nothing_and_takes_what_there_is(source):
    cached = TtlCache(source, 60)
    assert (cached.glance(), cached.glance(), cached.get(), cached.glance()) == (1, 2, 3, 3)


def test_a_glance_joins_a_reading(source):
    cached = TtlCache(source, 60)
    source.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        reader = pool.submit(cached.get)
        while source.reads < 1:
            time.sleep(0.001)
        other = pool.submit(cached.glance)
        time.sleep(0.05)
        source.gate.set()
        assert (reader.result(), other.result(), source.reads) == (1, 1, 1)
