"""Starts one worker process, sends it calls and ends it."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlchat.workers.wire import receive, send

MODULE = "sqlchat.workers.child"
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""Variables that a worker process gets, beside those of Python. It never sees a secret."""
SPARING = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Environment that saves memory: fewer arenas of the allocator, and no threads for each core.

Arrow's own allocator keeps more, and sets a gigabyte of address space apart, of the few that a process may take.
"""
INSTRUMENTING = os.path.join("opentelemetry", "instrumentation", "auto_instrumentation")
"""Folder by which `opentelemetry-instrument` has a process begin with its own code, which is not for these."""
TAKEN = b""
"""Tells a process that an item was taken. Until then it sends no other one."""
STARTING = 60.0
"""Seconds that a process may take to import modules."""
SLOWEST = 5
"""Times its CPU time that a call may take by the clock."""
SHORTEST = 0.01
"""Seconds between two looks at the CPU time."""
DYING = 5.0
"""Seconds to wait for the exit status of a process that hung up."""


class NotStartedError(Exception):
    """The process was gone, or never ready, before it was given the call."""


class DiedError(Exception):
    """The process ended in the middle of the call."""

    def __init__(self, exit_status: int) -> None:
        super().__init__(exit_status)
        self.exit_status = exit_status

    @property
    def is_told_to_stop(self) -> bool:
        """True after a SIGTERM."""
        return self.exit_status == -signal.SIGTERM


class Process:
    """A process with `memory` bytes of address space. Serves one thread at a time."""

    def __init__(self, memory: int, preload: tuple[str, ...], niceness: int = 0) -> None:
        """Start it, without waiting for its imports. Raises OSError."""
        self._line, theirs = socket.socketpair()
        self.idle_since = time.monotonic()
        self._is_ready = False
        self._loaded = {*preload}
        """Modules that it has imported."""
        self.is_stopped = False
        """True once `kill` was called."""
        command = [sys.executable, "-P", "-m", MODULE, *map(str, (theirs.fileno(), memory, niceness)), *preload]
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(self._line.close)
            self._process = subprocess.Popen(  # noqa: S603 - Python itself, and no word of a caller's
                command, stdin=subprocess.PIPE, env=_make_environment(), pass_fds=(theirs.fileno(),)
            )
            undo.pop_all()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def call(
        self,
        request: bytes,
        module: str,
        deadline: float,
        *,
        counts_cpu: bool = False,
        receive_item: Callable[[Any], None] | None = None,
    ) -> tuple[bool, bool, Any]:
        """Have it run a pickled call: succeeded, is crowded, result or exception.

        Raises NotStartedError, DiedError, and TimeoutError after `deadline` seconds, when it must be ended. The time
        begins when the function's `module` is imported, and anew when `receive_item` has taken an item. With
        `counts_cpu` it is CPU time, and the limit by the clock is SLOWEST times as long: on a busy machine, a call
        waits more than it computes.
        """
        try:
            self._prepare(module)
        except (EOFError, OSError) as exc:  # TimeoutError is one, too
            raise NotStartedError from exc
        begun = self._read_cpu_seconds() if counts_cpu else 0.0
        until = time.monotonic() + deadline * (SLOWEST if counts_cpu else 1)
        try:
            self._line.settimeout(deadline)
            send(self._line, request)
        except TimeoutError:
            raise
        except OSError as exc:
            raise NotStartedError from exc
        try:
            if counts_cpu:
                self._await_answer(begun + deadline, until)
            while (answer := pickle.loads(receive(self._line, until)))[0] is None:  # noqa: S301 - a process of our own
                assert receive_item is not None
                receive_item(answer[2])
                until = time.monotonic() + deadline
                send(self._line, TAKEN)
        except (EOFError, ConnectionError) as exc:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(DYING)
            raise DiedError(self._process.returncode or 0) from exc
        succeeded, crowded, value = answer
        return succeeded, crowded, value

    def _await_answer(self, most_cpu: float, until: float) -> None:
        """Raises TimeoutError when the process has taken so many seconds of CPU time, or at `until`."""
        while True:
            left = min(most_cpu - self._read_cpu_seconds(), until - time.monotonic())
            if left <= 0:
                raise TimeoutError
            self._line.settimeout(max(SHORTEST, left))
            try:
                self._line.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                continue
            except ConnectionError:  # which `receive` meets again
                return
            return

    def _read_cpu_seconds(self) -> float:
        """CPU time that the process has taken; the clock's if the system does not show it."""
        try:
            with open(f"/proc/{self._process.pid}/stat", "rb") as file:
                values = file.read().rpartition(b")")[2].split()
        except OSError:
            return time.monotonic()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")

    def _prepare(self, module: str) -> None:
        """Wait until it is ready and has imported `module`. If that fails, the call itself tells why."""
        if not self._is_ready:
            receive(self._line, time.monotonic() + STARTING)
            self._is_ready = True
        if module not in self._loaded:
            send(self._line, pickle.dumps((load_module, (module,), {}, False), pickle.HIGHEST_PROTOCOL))
            receive(self._line, time.monotonic() + STARTING)
            self._loaded.add(module)

    def kill(self) -> None:
        """Kill it, whatever it does. The thread that waits for its answer gets DiedError."""
        self.is_stopped = True
        self._process.kill()

    def end(self) -> None:
        """Kill it and free its resources. No thread may be waiting for its answer."""
        self._process.kill()
        self._process.wait()
        self._line.close()
        assert self._process.stdin is not None
        self._process.stdin.close()


def load_module(name: str) -> None:
    """Import it, in a worker process."""
    importlib.import_module(name)


def _make_environment() -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if name in KEPT_ENVIRONMENT or name[:6] == "PYTHON"}
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path if not folder.endswith(INSTRUMENTING))
    return environ | {"PYTHONPATH": path, **SPARING}
