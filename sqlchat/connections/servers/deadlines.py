"""Ends statements whose server keeps no timeout, by closing their lines: one thread watches the time of many."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable

TICK = 0.25
"""Seconds between two looks at the clock, and the most by which a deadline of less than that is late."""
IDLE_TICKS = 20
"""Looks without any deadline after which the thread ends."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER: on, no seconds."""


def hang_up(descriptor: int) -> None:
    """End a line to a server, even if a thread waits for an answer on it; it is reset when its owner closes it.

    A server that waits for room to write does not notice an ordinary close, and goes on with its statement for a
    minute. It notices a reset.
    """
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        line.shutdown(socket.SHUT_RDWR)


class Deadline:
    """An action at a time, unless it is cancelled before."""

    def __init__(self, at: float, act: Callable[[], object], deadlines: Deadlines) -> None:
        self.at, self.act, self._deadlines = at, act, deadlines
        self.has_passed = False

    def renew(self, seconds: float) -> None:
        """Count anew, from now. Does nothing if the deadline has passed."""
        self.at = time.monotonic() + seconds

    def cancel(self) -> None:
        """Forget the action. Does nothing if the deadline has passed."""
        self._deadlines.forget(self)


class Deadlines:
    """The deadlines of one connection's statements. Safe to call from several threads.

    The thread that watches them starts with the first and ends some seconds after the last.
    """

    def __init__(self) -> None:
        self._pending: set[Deadline] = set()
        self._is_watched = False
        self._lock = threading.Lock()

    def start(self, seconds: float, act: Callable[[], object]) -> Deadline:
        """Run `act` on a thread of its own after so many seconds."""
        deadline = Deadline(time.monotonic() + seconds, act, self)
        with self._lock:
            self._pending.add(deadline)
            if not self._is_watched:
                self._is_watched = True
                threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
        return deadline

    def forget(self, deadline: Deadline) -> None:
        with self._lock:
            self._pending.discard(deadline)

    def _watch(self) -> None:
        idle, pause = 0, TICK
        while idle < IDLE_TICKS:
            time.sleep(pause)
            now = time.monotonic()
            with self._lock:
                due = [deadline for deadline in self._pending if deadline.at <= now]
                self._pending.difference_update(due)
                left = min((deadline.at - now for deadline in self._pending), default=TICK)
                idle = 0 if self._pending or due else idle + 1
                self._is_watched = idle < IDLE_TICKS
            for deadline in due:
                deadline.has_passed = True
                threading.Thread(target=deadline.act, daemon=True).start()
            pause = max(0.001, min(TICK, left))
