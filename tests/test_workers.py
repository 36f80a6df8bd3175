"""The killable workers, with real processes."""

import contextlib
import importlib
import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


def initial_environment() -> bytes:
    """What the process was started with, which no later deletion changes."""
    return Path("/proc/self/environ").read_bytes()


def hand_over(size: int) -> bytes:
    return b"x" * size


def fail_in_a_way_of_its_own() -> None:
    raise ArithmeticError("seven")


def give_what_cannot_be_sent() -> object:
    return threading.Lock()


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def doze(seconds: float) -> str:
    time.sleep(seconds)
    return "woke"


def pass_gate(folder: str) -> int:
    """Say that the call has begun, wait until the gate is open, and return the process's id."""
    begun = Path(folder, "begun.new")
    begun.write_text(str(os.getpid()))
    begun.rename(Path(folder, "begun"))
    while not Path(folder, "open").exists():
        time.sleep(0.01)
    return os.getpid()


class Gate:
    """Holds a call of `pass_gate` until it is opened."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.is_open = str(folder), False

    def has_begun(self) -> bool:
        return Path(self.folder, "begun").exists()

    def wait(self) -> int:
        """Wait until the call has begun; gives the id of its process."""
        until(self.has_begun)
        return int(Path(self.folder, "begun").read_text())

    def open(self) -> None:
        self.is_open = True
        Path(self.folder, "open").touch()


@pytest.fixture
def gates(tmp_path):
    """Eight of them, all open at the end."""
    made = [Gate(tmp_path / f"gate-{number}") for number in range(8)]
    yield made
    for gate in made:
        gate.open()


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_call_gives_the_result_of_another_process(workers):
    assert workers.call(os.getpid, deadline=120) != os.getpid()


def send_each(items, send_item) -> str:
    for item in items:
        send_item(item)
    return "done"


class Inbox:
    """Takes items, has enough at `last`, and stops the call at the item "stop"."""

    def __init__(self, last=None):
        self.items, self.last = [], last

    @contextlib.contextmanager
    def watch(self, stop):
        self.stop = stop
        yield

    def receive(self, item):
        self.items.append(item)
        if item == self.last and self.last is not None:
            raise SQLRefusedError("enough")
        if item == "stop":
            self.stop()


def test_items_arrive_one_by_one_before_the_result(workers):
    inbox, items = Inbox(), [b"x" * 200_000, {"n": 1}, None, b""]
    assert workers.call(send_each, items, deadline=120, receiver=inbox) == "done"
    assert inbox.items == items
    assert workers.call(abs, -1, deadline=120) == 1


def test_a_receiver_that_has_enough_ends_the_call(workers):
    inbox = Inbox(last=1)
    with pytest.raises(SQLRefusedError, match="enough"):
        workers.call(send_each, range(100), deadline=120, receiver=inbox)
    assert inbox.items == [0, 1]
    assert workers.call(abs, -1, deadline=120) == 1


def test_a_call_that_its_receiver_stops_is_no_fault_of_the_process(workers):
    with pytest.raises(BusyError):
        workers.call(send_each, ["stop", "more"], deadline=120, receiver=Inbox())
    assert workers.call(abs, -1, deadline=120) == 1


def sleep_and_send(seconds, times, send_item) -> None:
    for _ in range(times):
        time.sleep(seconds)
        send_item("slept")


def test_the_deadline_holds_for_each_item(workers):
    inbox = Inbox()
    workers.call(sleep_and_send, 1.5, 4, deadline=5.0, receiver=inbox)
    assert len(inbox.items) == 4
    with pytest.raises(DeadlineError):
        workers.call(sleep_and_send, 300, 1, deadline=0.3, receiver=inbox)


def test_errors_come_back_whole(workers):
    with pytest.raises(SQLRefusedError) as caught:
        workers.call(refuse, deadline=120)
    assert (caught.value.detail, caught.value.facts) == ("no", {"position": 3})


def test_past_its_deadline_a_call_is_killed_and_the_next_one_served(workers):
    started = time.monotonic()
    with pytest.raises(DeadlineError):
        workers.call(time.sleep, 300, deadline=0.3)
    assert time.monotonic() - started < 200
    assert workers.call(abs, -1, deadline=120) == 1


def compute() -> None:
    while True:
        pass


@pytest.fixture
def computing():
    """A pool whose deadlines are CPU time."""
    pool = Workers(1, 256, counts_cpu=True)
    yield pool
    pool.close()


def test_waiting_takes_nothing_of_a_deadline_that_is_cpu_time(computing):
    assert computing.call(doze, 0.6, deadline=0.3) == "woke"


@pytest.mark.parametrize("function", [compute, doze])
def test_neither_computing_nor_waiting_goes_on_for_ever(computing, function):
    """One is ended by its CPU time, the other by the clock."""
    started = time.monotonic()
    with pytest.raises(DeadlineError):
        computing.call(function, *([1000.0] if function is doze else []), deadline=0.3)
    assert time.monotonic() - started < 120
    assert computing.call(os.getpid, deadline=20) > 0


def make_module(folder, monkeypatch, name, begin):
    """A module whose function gives 7, and which begins with `begin` in a worker process."""
    lines = [
        "import sys, time",
        "if 'sqlchat.workers.child' in sys.orig_argv:",
        f"    {begin}",
        "def give(): return 7",
    ]
    (folder / f"{name}.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(name)


def test_the_import_of_a_function_takes_nothing_of_its_deadline(tmp_path, monkeypatch):
    slow = make_module(tmp_path, monkeypatch, "slow_to_import", "time.sleep(6)")
    pool = Workers(1, 1024)
    try:
        assert pool.call(slow.give, deadline=5) == 7
    finally:
        pool.close()


def test_a_module_that_cannot_be_imported_there_is_told(tmp_path, monkeypatch):
    broken = make_module(tmp_path, monkeypatch, "broken_there", "raise ArithmeticError('broken')")
    pool = Workers(1, 1024)
    try:
        with pytest.raises(ArithmeticError, match="broken"):
            pool.call(broken.give, deadline=120)
        assert pool.call(abs, -1, deadline=120) == 1
    finally:
        pool.close()


def test_memory_is_capped(workers):
    with pytest.raises(TooLargeError):
        workers.call(hoard, deadline=120)


def test_processes_that_keep_too_much_memory_are_replaced():
    pool = Workers(2, 1024)
    try:
        pids = [pool.call(keep_address_space, deadline=120) for _ in range(6)]
        assert len(set(pids)) == len(pids)
    finally:
        pool.close()


def test_want_of_threads_is_want_of_memory(workers):
    with pytest.raises(TooLargeError):
        workers.call(want_threads, deadline=120)


def test_a_dead_process_costs_only_its_own_call(workers):
    with pytest.raises(TooLargeError):
        workers.call(kill_self, deadline=120)
    assert workers.call(abs, -1, deadline=120) == 1


def test_a_call_survives_a_sigterm_that_meant_the_whole_service(gates):
    single = Workers(1, 1024)
    with ThreadPoolExecutor(1) as threads:
        try:
            asked = threads.submit(single.call, pass_gate, gates[0].folder, deadline=120)
            os.kill(gates[0].wait(), signal.SIGTERM)
            gates[0].open()
            assert asked.result(150) == gates[0].wait()
        finally:
            single.close()


def test_a_call_waits_for_a_free_process_as_long_as_it_says(gates):
    single = Workers(1, 1024, patience=0)
    with ThreadPoolExecutor(2) as threads:
        try:
            threads.submit(single.call, pass_gate, gates[0].folder, deadline=120)
            gates[0].wait()
            with pytest.raises(BusyError):
                single.call(abs, -1, deadline=120)
            patient = threads.submit(single.call, abs, -1, deadline=120, patience=120)
            until(lambda: single.count_use()["waiting"])
            gates[0].open()
            assert patient.result(150) == 1
        finally:
            single.close()


def test_processes_that_died_while_idle_are_replaced(workers):
    single = Workers(1, 1024)
    try:
        os.kill(single.call(os.getpid, deadline=120), signal.SIGTERM)
        for _ in range(20):  # whenever the pool notices
            assert single.call(abs, -1, deadline=120) == 1
            time.sleep(0.05)
    finally:
        single.close()


def test_busy_workers_are_said_to_be_busy(workers):
    blocked = Workers(1, 1024, patience=0)
    blocked._free.acquire()
    with pytest.raises(BusyError):
        blocked.call(abs, -1, deadline=1)


def test_who_makes_one_call_after_the_other_lets_others_have_their_turn(gates):
    single = Workers(1, 1024, patience=120)

    def keep_calling():
        for gate in gates:
            single.call(pass_gate, gate.folder, deadline=120)

    with ThreadPoolExecutor(2) as threads:
        try:
            calling = threads.submit(keep_calling)
            for gate in gates:
                gate.wait()
                other = threads.submit(single.call, abs, -1, deadline=120)
                until(lambda: single.count_use()["waiting"])
                gate.open()
                assert other.result(150) == 1  # though the next gate is closed
            calling.result(150)
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
        assert "OPENAI_API_KEY" not in pool.call(environment, deadline=120)
    finally:
        pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_is_started_without_secrets(workers, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-real-key")
    pool = Workers(1, 1024)
    try:
        assert b"OPENAI_API_KEY" not in pool.call(initial_environment, deadline=120)
    finally:
        pool.close()


@pytest.mark.parametrize("size", [0, 1, 1 << 16, 5 << 20])
def test_messages_of_any_size_come_through(workers, size):
    assert workers.call(hand_over, size, deadline=120) == b"x" * size
    assert workers.call(len, b"x" * size, deadline=120) == size


def test_an_error_that_is_a_bug_says_where_it_happened(workers):
    with pytest.raises(ArithmeticError, match="seven") as caught:
        workers.call(fail_in_a_way_of_its_own, deadline=120)
    assert "fail_in_a_way_of_its_own" in str(caught.value.__notes__)


def test_a_result_that_cannot_be_sent_is_an_error_and_the_process_lives(workers):
    with pytest.raises(TypeError, match="lock"):
        workers.call(give_what_cannot_be_sent, deadline=120)
    assert workers.call(abs, -1, deadline=120) == 1


def test_a_process_serves_one_call_after_the_other():
    pool = Workers(2, 1024)
    try:
        assert len({pool.call(os.getpid, deadline=120) for _ in range(5)}) == 1
    finally:
        pool.close()


def test_a_killed_process_costs_its_own_call_alone(gates):
    pool = Workers(2, 1024)
    with ThreadPoolExecutor(2) as threads:
        try:
            victim, other = (threads.submit(pool.call, pass_gate, gate.folder, deadline=120) for gate in gates[:2])
            gates[1].wait()
            os.kill(pid := gates[0].wait(), signal.SIGKILL)
            with pytest.raises(TooLargeError):
                victim.result(120)
            gates[1].open()
            assert other.result(120) != pid
            assert pid != pool.call(os.getpid, deadline=120)
        finally:
            pool.close()


def test_closing_ends_all_processes_and_the_next_call_starts_one(gates):
    pool = Workers(2, 1024)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(pool.call, pass_gate, gates[0].folder, deadline=120)
        busy, idle = gates[0].wait(), pool.call(os.getpid, deadline=120)
        pool.close()
        with pytest.raises(BusyError):
            asked.result(120)
        until(lambda: not (alive(busy) or alive(idle)))
        assert pool.call(os.getpid, deadline=120) not in (busy, idle)
        pool.close()
        pool.close()


def test_processes_end_with_the_one_that_started_them():
    """Though it was killed, and though one of them is at work."""
    code = (
        "import os, threading, time; from sqlchat.workers import Workers; workers = Workers(2, 1024);"
        "print(workers.call(os.getpid, deadline=120), flush=True);"
        "threading.Thread(target=workers.call, args=(time.sleep, 60), kwargs={'deadline': 60}).start();"
        "time.sleep(0.5); print(workers.call(os.getpid, deadline=120), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        busy, idle = (int(parent.stdout.readline()) for _ in range(2))
        assert alive(busy)
        parent.kill()
        until(lambda: not (alive(busy) or alive(idle)))


def test_one_owner_leaves_processes_to_the_others(gates):
    pool = Workers(2, 1024, share=1)
    with ThreadPoolExecutor(2) as threads:
        try:
            ann = pool.for_owner("ann")
            slow = [threads.submit(ann.call, pass_gate, gate.folder, deadline=120) for gate in gates[:2]]
            until(lambda: pool.count_use()["waiting"])
            assert pool.for_owner("bob").call(abs, -1, deadline=120) == 1
            assert not any(each.done() for each in slow)
            for gate in gates:
                gate.open()
            assert all(each.result(120) for each in slow)
        finally:
            pool.close()


def test_a_patient_owner_with_many_calls_and_one_process_does_not_keep_others_waiting(gates):
    pool = Workers(1, 1024, patience=120)

    def find_running():
        """The gate before which the process waits, once there is one."""
        until(lambda: any(gate.has_begun() and not gate.is_open for gate in gates))
        return next(gate for gate in gates if gate.has_begun() and not gate.is_open)

    with ThreadPoolExecutor(9) as threads:
        try:
            ann = pool.for_owner("ann")
            slow = [threads.submit(ann.call, pass_gate, gate.folder, deadline=120) for gate in gates]
            until(lambda: pool.count_use()["waiting"] == 7)
            for _ in range(2):
                find_running()
                before = pool.count_use()["waiting"]
                other = threads.submit(pool.for_owner("bob").call, abs, -1, deadline=120)
                until(lambda before=before: pool.count_use()["waiting"] == before + 1)
                find_running().open()
                find_running().open()
                assert other.result(150) == 1  # though the other gates are closed
            for gate in gates:
                gate.open()
            assert all(each.result(120) for each in slow)
        finally:
            pool.close()


def served(turns, *owners):
    """The order in which owners who wait for the one turn, in this order, get it."""
    order, threads = [], []

    def wait(owner):
        assert turns.acquire(20, owner)
        order.append(owner)
        turns.release(owner)

    assert turns.acquire(1, "first")
    for count, owner in enumerate(owners, 1):
        threads.append(threading.Thread(target=wait, args=(owner,)))
        threads[-1].start()
        until(lambda count=count: len(turns._waiting) == count)
    turns.release("first")
    for thread in threads:
        thread.join(120)
    return order


def test_owners_take_turns():
    assert served(Turns(1), "a", "a", "a", "b", "b", "c") == ["a", "b", "c", "a", "b", "a"]


def test_an_owner_past_its_share_holds_up_nobody():
    turns = Turns(3, share=2)
    assert turns.acquire(0, "a")
    assert turns.acquire(0, "a")
    assert not turns.acquire(0.05, "a")
    assert turns.acquire(0, "b")
    turns.release("a")
    assert turns.acquire(0, "a")


def test_idle_processes_end_and_the_next_call_starts_one():
    pool = Workers(2, 512, idle=60)
    try:
        first = pool.call(os.getpid, deadline=120)
        pool.end_idle()
        assert alive(first)
        pool._idle[0].idle_since -= 61
        pool.end_idle()
        assert not alive(first)
        assert pool.count_use() == {"busy": 0, "idle": 0, "waiting": 0}
        assert pool.call(os.getpid, deadline=120) != first
    finally:
        pool.close()


def test_what_instruments_this_process_does_not_begin_in_a_worker(tmp_path, monkeypatch):
    folder = tmp_path / "opentelemetry/instrumentation/auto_instrumentation"
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text("raise SystemExit('instrumented')")
    monkeypatch.syspath_prepend(str(folder))
    pool = Workers(1, 512)
    try:
        assert pool.call(os.getpid, deadline=120) != os.getpid()
    finally:
        pool.close()


def test_of_idle_processes_as_many_stay_as_are_to_be_kept(gates):
    pool = Workers(2, 512, idle=0.1, kept=1)
    try:
        with ThreadPoolExecutor(2) as both:
            for gate in gates[:2]:
                both.submit(pool.call, pass_gate, gate.folder, deadline=120)
            for gate in gates[:2]:
                gate.wait()
            for gate in gates[:2]:
                gate.open()
        assert pool.count_use()["idle"] == 2
        time.sleep(0.2)
        pool.end_idle()
        pool.end_idle()
        assert pool.count_use()["idle"] == 1
    finally:
        pool.close()


def test_without_patience_for_idle_processes_each_ends_after_its_call():
    pool = Workers(1, 512, idle=0)
    try:
        assert not alive(pool.call(os.getpid, deadline=120))
        with pytest.raises(DeadlineError):
            pool.call(time.sleep, 30, deadline=0.2)
        assert pool.count_use() == {"busy": 0, "idle": 0, "waiting": 0}
    finally:
        pool.close()


def test_a_worker_is_the_first_to_go_where_memory_is_short(workers):
    assert int(workers.call(read_text, "/proc/self/oom_score_adj", deadline=120)) > 0


def read_text(path: str) -> str:
    return Path(path).read_text()
