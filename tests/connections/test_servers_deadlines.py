"""Deadlines of statements: kept, cancelled, and watched by one thread that ends."""

import threading
import time

from sqlchat.connections.servers import deadlines as module
from sqlchat.connections.servers.deadlines import Deadlines


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "deadlines"]


def test_what_is_due_runs_at_its_time_and_what_was_cancelled_never():
    deadlines, ran = Deadlines(), threading.Event()
    cancelled_ran = threading.Event()
    started = time.monotonic()
    cancelled = deadlines.start(2, cancelled_ran.set)
    cancelled.cancel()
    kept = deadlines.start(0.4, ran.set)
    assert ran.wait(100)
    assert time.monotonic() - started >= 0.4
    assert (kept.has_passed, cancelled.has_passed) == (True, False)
    assert not cancelled_ran.wait(max(0, 2.5 - (time.monotonic() - started)))
    kept.cancel()


def test_one_that_takes_long_holds_up_no_other():
    deadlines, ran, over = Deadlines(), threading.Event(), threading.Event()
    deadlines.start(0.1, lambda: over.wait(200))
    deadlines.start(0.2, ran.set)
    assert ran.wait(100)
    over.set()


def test_one_thread_watches_many_and_ends_when_none_is_left(monkeypatch):
    monkeypatch.setattr(module, "IDLE_TICKS", 2)
    before = set(watchers())
    deadlines = Deadlines()
    for each in [deadlines.start(60, print) for _ in range(50)]:
        assert len(set(watchers()) - before) == 1
        each.cancel()
    until = time.monotonic() + 120
    while set(watchers()) - before:
        assert time.monotonic() < until
        time.sleep(0.05)
    ran = threading.Event()
    deadlines.start(0.1, ran.set)
    assert ran.wait(100)
