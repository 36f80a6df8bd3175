"""A warm pool of killable processes: what may never end, or eat the machine, runs here.

Parsing a stranger's SQL, SQLite, DuckDB and reading uploads can each spin past every switch of their own library,
so each call has a deadline after which its process is killed, and an address-space limit. A killed process costs
its own call an error and nobody else anything: the pool starts another.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from sqlchat.errors import BusyError, DeadlineError, TooLargeError

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)

CROWDED = 0.875
"""Share of its address space past which a process that did its work is replaced: DuckDB gives none of it back."""

KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")


class Workers:
    """`call(function, ...)` runs a module-level function in one of `count` processes and gives its result.

    Processes start at the first call (or `warm`), by spawn, with `memory_mb` MiB of address space, without the
    environment's secrets. A call waits its turn for a free one, `patience` seconds at most unless it brings its own.
    """

    def __init__(self, count: int, memory_mb: int, *, patience: float = 10.0, preload: tuple[str, ...] = ()):
        self._count, self._memory, self._patience, self._preload = count, memory_mb << 20, patience, preload
        self._pool: ProcessPool | None = None
        self._lock = threading.Lock()
        self._free = Turns(count)

    def call(
        self, function: Callable[P, R], *args: Any, deadline: float, patience: float | None = None, **kwargs: Any
    ) -> R:
        """Run `function(*args, **kwargs)` there, for `deadline` seconds at most.

        What the function raises comes back as it is. Raises DeadlineError past the deadline, TooLargeError when it
        ran out of memory or its process died, BusyError when no process was free in time or none would start.
        """
        if not self._free.acquire(self._patience if patience is None else max(0.0, patience)):
            raise BusyError("All worker processes are busy.", retry_after=1)
        try:
            for _ in range(self._count):
                try:
                    return self._once(function, args, kwargs, deadline)
                except (ProcessExpired, BrokenProcessPool) as exc:
                    if isinstance(exc, ProcessExpired) and exc.exitcode != -signal.SIGTERM:
                        raise
                    # A crowded process ends itself rather than begin. A host that stops us sends SIGTERM to all
                    # processes, idle ones too; we still owe answers.
            return self._once(function, args, kwargs, deadline)
        except (TimeoutError, CancelledError) as exc:
            raise DeadlineError(f"This took longer than {deadline:g} s and was stopped.") from exc
        except MemoryError as exc:
            raise TooLargeError("This needs more memory than a worker process may take.") from exc
        except ProcessExpired as exc:
            log.warning("worker process died", extra={"exitcode": exc.exitcode})
            raise TooLargeError("The worker process died of this, most likely for want of memory.") from exc
        except BrokenProcessPool as exc:
            raise BusyError("The worker processes do not start.", retry_after=5) from exc
        finally:
            self._free.release()

    def _once(self, function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any], deadline: float) -> R:
        future = self._started().schedule(_work, args=(function, *args), kwargs=kwargs, timeout=deadline)
        result: R = future.result(timeout=deadline + 5)  # the pool's own timeout comes first
        return result

    def warm(self) -> None:
        """Start the processes now, so that no caller waits for the first one."""
        self._started().schedule(os.getpid)

    def close(self) -> None:
        """End all processes. The next call starts them anew."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _started(self) -> ProcessPool:
        with self._lock:
            if self._pool is None or not self._pool.active:
                self._pool = ProcessPool(
                    max_workers=self._count,
                    max_tasks=0,
                    initializer=_confine,
                    initargs=(self._memory, self._preload),
                    context=multiprocessing.get_context("spawn"),
                )
            return self._pool


class Turns:
    """A semaphore that serves those who wait in their order.

    Python's own lets whoever releases it have it back before the one who was woken looks: a thread that makes one
    call after the other would keep all others waiting.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    def acquire(self, timeout: float | None = None) -> bool:
        """False where no turn came in `timeout` seconds; None waits for it."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(timeout):
            return True
        with self._lock:
            if not turn.is_set():
                self._waiting.remove(turn)
            return turn.is_set()

    def release(self) -> None:
        """Hand it over to the one who waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


def _confine(memory: int, preload: tuple[str, ...]) -> None:
    """First act of a worker process: import what it needs, then give up what it does not."""
    # the pool's own handler waits for Python, which a runaway C function never comes back to
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.disable()  # a library's warning would hold the text or file that it is about
    for name in preload:
        __import__(name)
    for name in set(os.environ) - set(KEPT_ENVIRONMENT):
        del os.environ[name]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _work(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """In a worker process: one call, unless earlier ones have left too little room for it."""
    if _address_space() > CROWDED * resource.getrlimit(resource.RLIMIT_AS)[0]:
        os.kill(os.getpid(), signal.SIGTERM)
    try:
        return function(*args, **kwargs)
    except RuntimeError as exc:
        if "start new thread" in str(exc):  # no room for its stack
            raise MemoryError from exc
        raise


def _address_space() -> int:
    """Bytes that this process has mapped; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _end_with_parent() -> None:
    """A web worker that is killed cannot close its pool, so the pool's processes watch for that themselves."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
