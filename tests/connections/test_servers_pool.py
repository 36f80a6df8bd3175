"""The pool of sessions with a database server."""

import gc
import threading
import time

import pytest

from sqlchat.config import Settings
from sqlchat.connections.servers.pool import Pool
from sqlchat.errors import BusyError


class Line:
    """A session that notes its end."""

    is_open = True

    def close(self):
        self.is_open = False


@pytest.fixture
def pool():
    return Pool(Settings(pool_size=2, pool_timeout=0.05), Line)


def test_the_session_that_was_returned_last_is_lent_first(pool):
    first, second = pool.lend(), pool.lend()
    second.close()
    first.close()
    assert pool.lend() is first


def test_a_caller_waits_for_a_session_and_is_refused_in_the_end(pool):
    lent = [pool.lend(), pool.lend()]
    with pytest.raises(BusyError):
        pool.lend()
    patient = Pool(Settings(pool_size=1, pool_timeout=60), Line)
    only, got = patient.lend(), []
    waiting = threading.Thread(target=lambda: got.append(patient.lend()))
    waiting.start()
    while patient.count_use() != (1, 0, 1):
        pass
    only.close()
    waiting.join()
    assert got == [only]
    assert [each.session.is_open for each in lent] == [True, True]


def test_a_session_of_no_use_is_closed_and_replaced(pool):
    lent = pool.lend()
    lent.invalidate()
    lent.close()
    assert not lent.session.is_open
    assert pool.count_use() == (0, 0, 0)
    assert all(each.session.is_open for each in [pool.lend(), pool.lend()])


def test_a_session_that_its_caller_forgot_costs_no_place(pool):
    sessions = [pool.lend().session for _ in range(5)]
    gc.collect()
    assert not any(session.is_open for session in sessions)
    assert pool.count_use() == (0, 0, 0)


def test_an_old_session_is_replaced(pool):
    idle, lent = pool.lend(), pool.lend()
    idle.close()
    idle.ends_at = lent.ends_at = time.monotonic()
    lent.close()
    assert not lent.session.is_open
    assert pool.lend() is not idle
    assert not idle.session.is_open


def test_a_failed_connect_frees_its_place():
    def refuse():
        raise OSError("no route")

    pool = Pool(Settings(pool_size=1, pool_timeout=0.05), refuse)
    for _ in range(3):
        with pytest.raises(OSError, match="no route"):
            pool.lend()


def test_a_closed_pool_closes_what_is_idle_and_what_comes_back(pool):
    idle, lent = pool.lend(), pool.lend()
    idle.close()
    pool.close()
    assert [idle.session.is_open, lent.session.is_open] == [False, True]
    lent.close()
    assert not lent.session.is_open
