"""The pool of worker processes."""

from __future__ import annotations

import contextlib
import copy
import logging
import math
import os
import pickle
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar, cast

from sqlchat.errors import BusyError, DeadlineError, TooLargeError
from sqlchat.telemetry import metrics
from sqlchat.workers.process import DiedError, NotStartedError, Process
from sqlchat.workers.turns import Turns

R = TypeVar("R")
log = logging.getLogger(__name__)

NOT_STARTED = "The worker processes do not start."
CHECKING = 5.0
"""Seconds for a process to show that it works."""
TRIES = 4
"""Processes that one call may find gone, or see stopped by whoever stops the whole service."""


class Receiver(Protocol):
    """Takes the items that a call sends before it ends."""

    def receive(self, item: Any, /) -> None:
        """Take one item; the call waits meanwhile. An error ends the call, and is raised by it."""

    def watch(self, stop: Callable[[], object], /) -> AbstractContextManager[None]:
        """Around the call, which `stop()` ends from another thread."""


class Workers:
    """`call(function, ...)` runs a module-level function in one of `count` processes and gives its result.

    A process starts when a call finds none that is free, with `memory_mb` MiB of address space and without the
    environment's secrets; `preload` names modules that it imports first. A call waits its turn for a free one,
    `patience` seconds at most unless it brings its own. Calls `for_owner` take `share` of the processes at most.
    Metrics show them as `name`. With `idle` 0 a process ends after its call; of others,
    `end_idle` leaves `kept`. With `counts_cpu` deadlines are CPU time, for calls that only compute. With `niceness`
    above 0 they leave the processors to other processes that want them.
    """

    def __init__(
        self,
        count: int,
        memory_mb: int,
        *,
        patience: float = 10.0,
        preload: tuple[str, ...] = (),
        share: int | None = None,
        name: str = "workers",
        idle: float = math.inf,
        kept: int = 0,
        counts_cpu: bool = False,
        niceness: int = 0,
    ) -> None:
        self.name, self._memory, self._preload, self._counts_cpu = name, memory_mb << 20, preload, counts_cpu
        self._niceness = niceness
        self._free, self._patience, self._owner = Turns(count, share), patience, ""
        self._most_idle, self._kept = idle, kept
        # what follows is shared by the views of `for_owner`
        self._idle: list[Process] = []
        self._busy: set[Process] = set()
        self._outcomes: deque[bool] = deque(maxlen=1)
        """Whether the last process that was asked came to its call; empty before the first."""
        self._lock = threading.Lock()
        weakref.finalize(self._free, _end_all, self._idle)  # at the latest when Python ends

    def for_owner(self, owner: str) -> Workers:
        """These processes for the calls of one owner, who shares them fairly with all others."""
        view = copy.copy(self)
        view._owner = owner
        return view

    def call(
        self,
        function: Callable[..., R],
        *args: Any,
        deadline: float,
        patience: float | None = None,
        receiver: Receiver | None = None,
        **kwargs: Any,
    ) -> R:
        """Run `function(*args, **kwargs)` there, for `deadline` seconds at most, once its module is imported there.

        A `receiver` gets the items that the function sends by its last argument, which is added; each item then has
        the deadline. What the function raises comes back as it is. Raises DeadlineError past the deadline,
        TooLargeError when it ran out of memory or its process died, BusyError when no process was free in time or
        none would start.
        """
        request = pickle.dumps((function, args, kwargs, receiver is not None), pickle.HIGHEST_PROTOCOL)
        if not self._free.acquire(self._patience if patience is None else max(0.0, patience), self._owner):
            raise BusyError("All worker processes are busy.", retry_after=1)
        try:
            succeeded, value = self._run(request, function.__module__, deadline, receiver)
        finally:
            self._free.release(self._owner)
        if succeeded:
            return cast(R, value)
        if isinstance(value, MemoryError):
            raise TooLargeError("This needs more memory than a worker process may take.") from value
        raise value

    def warm(self) -> None:
        """Start a process now where there is none, so that the first caller does not wait for it."""
        with self._lock:
            if not (self._idle or self._busy):
                self._idle.append(self._start())

    def check(self, *, is_needed: bool = True) -> None:
        """Raise BusyError if no process starts.

        One is asked if the last one did not start, or `is_needed` and none ever did; where they work, none is woken.
        """
        if not (all(self._outcomes) if self._outcomes else not is_needed):
            try:
                self.call(os.getpid, deadline=CHECKING, patience=CHECKING)
            except (DeadlineError, TooLargeError) as exc:
                raise BusyError(NOT_STARTED, retry_after=5) from exc

    def count_use(self) -> dict[str, int]:
        """Numbers of `busy` and `idle` processes, and of calls `waiting` for one."""
        return {"busy": len(self._busy), "idle": len(self._idle), "waiting": self._free.count_waiting()}

    def end_idle(self) -> None:
        """End the processes that had nothing to do for `idle` seconds. The next call starts one."""
        since = time.monotonic() - self._most_idle
        with self._lock:
            surplus = self._idle[: max(0, len(self._idle) - self._kept)]  # the last was used last
            over = [each for each in surplus if each.idle_since < since]
            self._idle[:] = [each for each in self._idle if each not in over]
        _end_all(over)

    def close(self) -> None:
        """End all processes: kill those at work, whose calls end in BusyError. The next call starts them anew."""
        with self._lock:
            idle = self._idle.copy()
            self._idle.clear()
            for process in self._busy:
                process.kill()
        _end_all(idle)

    def _run(self, request: bytes, module: str, deadline: float, receiver: Receiver | None) -> tuple[bool, Any]:
        """Have a process run a pickled call: whether it succeeded, and its result or its exception."""
        for _ in range(TRIES):
            process = self._take()
            try:
                with receiver.watch(process.kill) if receiver else contextlib.nullcontext():
                    succeeded, is_crowded, value = process.call(
                        request,
                        module,
                        deadline,
                        counts_cpu=self._counts_cpu,
                        receive_item=receiver.receive if receiver else None,
                    )
            except NotStartedError as exc:
                self._replace(process)
                if process.is_stopped:
                    raise BusyError("The worker processes were stopped.", retry_after=1) from exc
                self._outcomes.append(False)
            except TimeoutError as exc:
                metrics.count_killed(self.name, "deadline")
                self._replace(process)
                raise DeadlineError(f"This took longer than {deadline:g} s and was stopped.") from exc
            except DiedError as exc:
                self._replace(process, is_needed=receiver is not None)  # whose reader may have stopped it alone
                if process.is_stopped:
                    raise BusyError("The worker processes were stopped.", retry_after=1) from exc
                if exc.is_told_to_stop:  # by a host that stops all our processes; this call is still owed its answer
                    continue
                metrics.count_killed(self.name, "died")
                log.warning("worker process died", extra={"exitcode": exc.exit_status})
                raise TooLargeError("The worker process died of this, most likely for want of memory.") from exc
            except BaseException:  # what it sent cannot be read here, or is not wanted any more
                self._replace(process, is_needed=receiver is not None)
                raise
            else:
                self._outcomes.append(True)
                if is_crowded:
                    metrics.count_killed(self.name, "memory")
                    self._replace(process)
                else:
                    self._give_back(process)
                return succeeded, value
        raise BusyError(NOT_STARTED, retry_after=5)

    def _take(self) -> Process:
        """Return the process that was used last, or a new one."""
        with self._lock:
            process = self._idle.pop() if self._idle else self._start()
            self._busy.add(process)
            return process

    def _give_back(self, process: Process) -> None:
        with self._lock:
            self._busy.remove(process)
            if not process.is_stopped and self._most_idle:
                process.idle_since = time.monotonic()
                self._idle.append(process)
                return
        process.end()

    def _replace(self, process: Process, *, is_needed: bool = False) -> None:
        """End it and those that died while idle, and have another one start for the calls to come.

        A process that was stopped has no successor, unless that `is_needed`.
        """
        process.end()
        with self._lock:
            self._busy.remove(process)
            dead = [each for each in self._idle if not each.is_alive()]
            self._idle[:] = [each for each in self._idle if each not in dead]
            if (is_needed or not process.is_stopped) and self._most_idle:
                with contextlib.suppress(BusyError):  # the next call tries again, and says so
                    self._idle.insert(0, self._start())
        _end_all(dead)

    def _start(self) -> Process:
        try:
            return Process(self._memory, self._preload, self._niceness)
        except OSError as exc:
            self._outcomes.append(False)
            raise BusyError(NOT_STARTED, retry_after=5) from exc


def _end_all(processes: list[Process]) -> None:
    for process in processes:
        process.end()
