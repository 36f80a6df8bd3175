"""The main program of a worker process: runs one call after the other until its parent hangs up."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import resource
import signal
import socket
import sys
import threading
import traceback
from functools import partial

from sqlchat.errors import SqlchatError
from sqlchat.workers.wire import receive, send

CROWDED = 0.875
"""Share of its address space past which a process that did its work is replaced: DuckDB gives none of it back."""
READY = b"ready"
FIRST_TO_GO = "500"
"""oom_score_adj, of 1000: without memory, the system ends a worker rather than the process that serves requests."""


def main() -> None:
    """Serve a socket. Arguments are its descriptor, bytes of address space, niceness, and modules to import."""
    descriptor, memory, niceness, *preload = sys.argv[1:]
    os.nice(int(niceness))
    _confine(int(memory), preload)
    line = socket.socket(fileno=int(descriptor))
    try:
        send(line, READY)
        while True:
            send(line, _answer(receive(line), int(memory), line))
    except (EOFError, OSError):  # whoever asked has gone
        return


def _confine(memory: int, preload: list[str]) -> None:
    """Import what the calls need, then give up what they do not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write(FIRST_TO_GO)
    logging.disable()  # a library's warning would hold the text or file that it is about
    for name in preload:
        __import__(name)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(request: bytes | bytearray, memory: int, line: socket.socket) -> bytes:
    """Run a pickled call, and return a pickled (succeeded, is crowded, result or exception).

    The call is (function, args, kwargs, sends items). If it sends items, the last argument of the function sends one
    to the caller, ahead of the answer.
    """
    try:
        function, args, kwargs, sends_items = pickle.loads(request)  # noqa: S301 - of the process that started this one
        if sends_items:
            args = (*args, partial(_send_item, line))
        succeeded, value = True, function(*args, **kwargs)
    except BaseException as exc:  # noqa: BLE001 - it is raised where the call was made
        succeeded, value = False, _make_portable(exc)
    crowded = _measure_address_space() > CROWDED * memory
    try:
        return pickle.dumps((succeeded, crowded, value), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return pickle.dumps((False, True, MemoryError()))
    except Exception as exc:  # noqa: BLE001 - a result or an exception of a kind that cannot be sent
        return pickle.dumps((False, crowded, TypeError(f"{type(value).__name__} cannot be sent: {exc}")))


def _send_item(line: socket.socket, item: object) -> None:
    """Send one item, and wait until it was taken."""
    send(line, pickle.dumps((None, False, item), pickle.HIGHEST_PROTOCOL))
    receive(line)


def _make_portable(exc: BaseException) -> BaseException:
    """The exception to send; an unexpected one has its traceback as a note."""
    if isinstance(exc, RuntimeError) and "start new thread" in str(exc):  # no room for its stack
        return MemoryError()
    if not isinstance(exc, SqlchatError | MemoryError):
        exc.add_note("In a worker process:\n" + "".join(traceback.format_exception(exc)))
    return exc


def _measure_address_space() -> int:
    """Mapped bytes of this process; 0 if the system does not show them."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read(32).split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _end_with_parent() -> None:
    """End when the standard input does, which the parent holds open: one that was killed closes no pool."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
