"""The killable workers, with real processes."""

import mmap
import os
import signal
import threading
import time

import pytest

from sqlchat.errors import BusyError, DeadlineError, SQLRefusedError, TooLargeError
from sqlchat.workers import Turns, Workers

KEPT = []
"""In a worker process: what a call leaves behind."""


@pytest.fixture(scope="module")
def workers():
    pool = Workers(2, 1024, patience=0.3)
    yield pool
    pool.close()


def refuse() -> None:
    raise SQLRefusedError("no", position=3)


def hoard() -> int:
    return len(bytearray(4 << 30))


def keep_address_space() -> int:
    KEPT.append(mmap.mmap(-1, 850 << 20))
    return os.getpid()


def want_threads() -> None:
    raise RuntimeError("can't start new thread")


def environment() -> dict[str, str]:
    return dict(os.environ)


def doze(seconds: float) -> str:
    time.sleep(seconds)
    return "woke"


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_call_gives_the_result_of_another_process(workers):
    assert workers.call(os.getpid, deadline=5) != os.getpid()


def test_errors_come_back_whole(workers):
    with pytest.raises(SQLRefusedError) as caught:
        workers.call(refuse, deadline=5)
    assert (caught.value.detail, caught.value.facts) == ("no", {"position": 3})


def test_past_its_deadline_a_call_is_killed_and_the_next_one_served(workers):
    started = time.monotonic()
    with pytest.raises(DeadlineError):
        workers.call(time.sleep, 60, deadline=0.3)
    assert time.monotonic() - started < 30
    assert workers.call(abs, -1, deadline=5) == 1


def test_memory_is_capped(workers):
    with pytest.raises(TooLargeError):
        workers.call(hoard, deadline=20)


def test_processes_that_keep_too_much_memory_are_replaced():
    pool = Workers(2, 1024)
    try:
        pids = [pool.call(keep_address_space, deadline=20) for _ in range(6)]
        assert len(set(pids)) == len(pids)
    finally:
        pool.close()


def test_want_of_threads_is_want_of_memory(workers):
    with pytest.raises(TooLargeError):
        workers.call(want_threads, deadline=20)


def test_a_dead_process_costs_only_its_own_call(workers):
    with pytest.raises(TooLargeError):
        workers.call(kill_self, deadline=5)
    assert workers.call(abs, -1, deadline=5) == 1


def test_a_call_survives_a_sigterm_that_meant_the_whole_service(workers):
    def terminate():
        time.sleep(0.4)
        os.kill(pid, signal.SIGTERM)

    single = Workers(1, 1024)
    try:
        pid = single.call(os.getpid, deadline=5)
        threading.Thread(target=terminate).start()
        assert single.call(doze, 1.0, deadline=20) == "woke"
    finally:
        single.close()


def test_a_call_waits_for_a_free_process_as_long_as_it_says(workers):
    single = Workers(1, 1024, patience=0)
    busy = threading.Thread(target=single.call, args=(time.sleep, 1), kwargs={"deadline": 20})
    try:
        busy.start()
        time.sleep(0.2)
        with pytest.raises(BusyError):
            single.call(abs, -1, deadline=5)
        assert single.call(abs, -1, deadline=5, patience=15) == 1
    finally:
        busy.join(20)
        single.close()


def test_processes_that_died_while_idle_are_replaced(workers):
    single = Workers(1, 1024)
    try:
        os.kill(single.call(os.getpid, deadline=5), signal.SIGTERM)
        for _ in range(20):  # whenever the pool notices
            assert single.call(abs, -1, deadline=20) == 1
            time.sleep(0.05)
    finally:
        single.close()


def test_busy_workers_are_said_to_be_busy(workers):
    blocked = Workers(1, 1024, patience=0)
    blocked._free.acquire()
    with pytest.raises(BusyError):
        blocked.call(abs, -1, deadline=1)


def test_who_makes_one_call_after_the_other_lets_others_have_their_turn():
    single, calls = Workers(1, 1024), []

    def keep_calling():
        for _ in range(20):
            calls.append(single.call(doze, 0.1, deadline=20))

    calling = threading.Thread(target=keep_calling)
    try:
        single.call(abs, -1, deadline=20)
        calling.start()
        for _ in range(5):
            before = len(calls)
            single.call(abs, -1, deadline=20)
            assert len(calls) <= before + 2
        calling.join()
        assert len(calls) == 20
    finally:
        single.close()


def test_who_gave_up_waiting_is_not_given_a_turn():
    turns = Turns(1)
    assert turns.acquire(1)
    assert not turns.acquire(0.05)
    turns.release()
    assert turns.acquire(1)
    assert not turns.acquire(0)


def test_the_environment_of_a_worker_holds_no_secret(workers, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-real-key")
    pool = Workers(1, 1024)
    try:
        assert "OPENAI_API_KEY" not in pool.call(environment, deadline=5)
    finally:
        pool.close()
