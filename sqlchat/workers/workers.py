"""The pool of worker processes."""

from __future__ import annotations

import contextlib
import copy
import logging
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from sqlchat.errors import BusyError, DeadlineError, TooLargeError
from sqlchat.workers.process import DiedError, NotStartedError, Process
from sqlchat.workers.turns import Turns

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)

TRIES = 4
"""Processes that one call may find gone, or see stopped by whoever stops the whole service."""


class Workers:
    """`call(function, ...)` runs a module-level function in one of `count` processes and gives its result.

    A process starts when a call finds none that is free, with `memory_mb` MiB of address space and without the
    environment's secrets; `preload` names modules that it imports first. A call waits its turn for a free one,
    `patience` seconds at most unless it brings its own. Calls `for_owner` take `share` of the processes at most.
    """

    def __init__(
        self,
        count: int,
        memory_mb: int,
        *,
        patience: float = 10.0,
        preload: tuple[str, ...] = (),
        share: int | None = None,
    ) -> None:
        self._pool = Pool(memory_mb << 20, preload)
        self._free, self._patience, self._owner = Turns(count, share), patience, ""

    def for_owner(self, owner: str) -> Workers:
        """These processes for the calls of one owner, who shares them fairly with all others."""
        view = copy.copy(self)
        view._owner = owner
        return view

    def call(
        self, function: Callable[P, R], *args: Any, deadline: float, patience: float | None = None, **kwargs: Any
    ) -> R:
        """Run `function(*args, **kwargs)` there, for `deadline` seconds at most.

        What the function raises comes back as it is. Raises DeadlineError past the deadline, TooLargeError when it
        ran out of memory or its process died, BusyError when no process was free in time or none would start.
        """
        request = pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)
        if not self._free.acquire(self._patience if patience is None else max(0.0, patience), self._owner):
            raise BusyError("All worker processes are busy.", retry_after=1)
        try:
            succeeded, value = self._pool.run(request, deadline)
        finally:
            self._free.release(self._owner)
        if succeeded:
            return cast(R, value)
        if isinstance(value, MemoryError):
            raise TooLargeError("This needs more memory than a worker process may take.") from value
        raise value

    def warm(self) -> None:
        """Start a process now, so that the first caller does not wait for it."""
        self._pool.warm()

    def close(self) -> None:
        """End all processes. The next call starts them anew."""
        self._pool.close()


class Pool:
    """Processes that are idle, and those at work. As many as there are calls at once, so callers take turns."""

    def __init__(self, memory: int, preload: tuple[str, ...]) -> None:
        self._memory, self._preload = memory, preload
        self._idle: list[Process] = []
        self._busy: set[Process] = set()
        self._lock = threading.Lock()
        weakref.finalize(self, _end_all, self._idle)  # at the latest when Python ends

    def run(self, request: bytes, deadline: float) -> tuple[bool, Any]:
        """Have a process run a pickled call: whether it succeeded, and its result or its exception."""
        for _ in range(TRIES):
            process = self._take()
            try:
                succeeded, is_crowded, value = process.call(request, deadline)
            except NotStartedError:
                self._replace(process)
            except TimeoutError as exc:
                self._replace(process)
                raise DeadlineError(f"This took longer than {deadline:g} s and was stopped.") from exc
            except DiedError as exc:
                self._replace(process)
                if process.is_stopped:
                    raise BusyError("The worker processes were stopped.", retry_after=1) from exc
                if exc.is_told_to_stop:  # by a host that stops all our processes; this call is still owed its answer
                    continue
                log.warning("worker process died", extra={"exitcode": exc.exit_status})
                raise TooLargeError("The worker process died of this, most likely for want of memory.") from exc
            except BaseException:  # what it sent cannot be read here
                self._replace(process)
                raise
            else:
                self._replace(process) if is_crowded else self._give_back(process)
                return succeeded, value
        raise BusyError("The worker processes do not start.", retry_after=5)

    def warm(self) -> None:
        """Start one where there is none."""
        with self._lock:
            if not (self._idle or self._busy):
                self._idle.append(self._start())

    def close(self) -> None:
        """End those that are idle, and kill those at work, whose calls end in BusyError."""
        with self._lock:
            idle = self._idle.copy()
            self._idle.clear()
            for process in self._busy:
                process.kill()
        _end_all(idle)

    def _take(self) -> Process:
        """The one that was used last; else a new one."""
        with self._lock:
            process = self._idle.pop() if self._idle else self._start()
            self._busy.add(process)
            return process

    def _give_back(self, process: Process) -> None:
        with self._lock:
            self._busy.remove(process)
            if not process.is_stopped:
                self._idle.append(process)
                return
        process.end()

    def _replace(self, process: Process) -> None:
        """End it and those that died while idle, and have another one start for the calls to come."""
        process.end()
        with self._lock:
            self._busy.remove(process)
            dead = [each for each in self._idle if not each.is_alive()]
            self._idle[:] = [each for each in self._idle if each not in dead]
            if not process.is_stopped:
                with contextlib.suppress(BusyError):  # the next call tries again, and says so
                    self._idle.insert(0, self._start())
        _end_all(dead)

    def _start(self) -> Process:
        try:
            return Process(self._memory, self._preload)
        except OSError as exc:
            raise BusyError("The worker processes do not start.", retry_after=5) from exc


def _end_all(processes: list[Process]) -> None:
    for process in processes:
        process.end()
