"""Streams rows out of a worker process over a Unix socket in a private folder, while the call runs.

A thread of this process makes the call. The worker connects and sends its process id, a header, blocks and None. If
the reader closes, the worker gets an error at its next block; if it computes on, it is killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Connection
from typing import Any

from sqlchat.connections.streams import LOOK, Header, Stream, StreamClosedError

FOREVER = 1e6
"""Deadline in seconds of a call that its reader ends."""
LEAVING = 0.3
"""Seconds for a worker to notice that its reader has gone."""


class Sender:
    """Sends a stream from a worker process to the reader that listens at `path`."""

    def __init__(self, path: str) -> None:
        """Connect. Raises OSError if nobody listens any more."""
        self._line = Client(path, "AF_UNIX")
        self._line.send(os.getpid())

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *exc: object) -> None:
        self._line.close()

    def begin(self, header: Header) -> None:
        self._line.send(header)

    def put(self, rows: bytes) -> None:
        self._line.send(rows)

    def end(self) -> None:
        self._line.send(None)


class Reader:
    """Reads the stream of one call in a worker process."""

    def __init__(self, call: Callable[[str], object], idle: float, timed_out: Callable[[float], Exception]) -> None:
        self._idle, self._timed_out = idle, timed_out
        self._folder = tempfile.mkdtemp(prefix="sqlchat-stream-")
        path = os.path.join(self._folder, "s")
        self._listener = socket.socket(socket.AF_UNIX)
        self._line: Connection[Any, Any] | None = None
        self._pid = 0
        self._closed = threading.Event()
        self._fault: BaseException | None = None
        self._calling = threading.Thread(target=self._call, args=(call, path), name="stream", daemon=True)
        try:
            self._listener.bind(path)
            self._listener.listen()
            self._listener.settimeout(LOOK / 2)
            self._calling.start()
        except BaseException:
            self._clean_up()
            raise

    def header(self) -> Header:
        """Wait for the header. A call that is repeated connects again."""
        while True:
            self._hang_up()
            self._line = self._accept()
            try:
                self._pid = self._receive()
                header: Header = self._receive()
            except EOFError:
                continue
            self._clean_up()
            return header

    def blocks(self) -> Iterator[bytes]:
        try:
            while (block := self._receive()) is not None:
                yield block
            self._calling.join()
        except EOFError:
            self._calling.join()
            raise self._fault or StreamClosedError from None
        finally:
            self._hang_up()

    def close(self) -> None:
        """End the call."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._line:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._line.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
        self._calling.join(LEAVING)
        self._kill()
        self._clean_up()

    def _call(self, call: Callable[[str], object], path: str) -> None:
        try:
            call(path)
        except BaseException as exc:  # noqa: BLE001 - `blocks` raises it
            self._fault = exc

    def _accept(self) -> Connection[Any, Any]:
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                line, _ = self._listener.accept()
                line.setblocking(True)
                return Connection(line.detach())
            if not self._calling.is_alive():
                raise self._fault or StreamClosedError
        raise StreamClosedError

    def _receive(self) -> Any:
        """Return the next message. Raises EOFError if the call has ended, and `timed_out(idle)`."""
        assert self._line is not None
        try:
            if self._line.poll(self._idle):
                return self._line.recv()
        except (EOFError, OSError):
            if self._closed.is_set():
                raise StreamClosedError from None
            raise EOFError from None
        self._kill()
        raise self._timed_out(self._idle)

    def _hang_up(self) -> None:
        if self._line:
            self._line.close()

    def _kill(self) -> None:
        """Kill the process, unless its call has ended: then it may serve another one."""
        if self._pid and self._calling.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _clean_up(self) -> None:
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def open_worker_stream(call: Callable[[str], object], idle: float, timed_out: Callable[[float], Exception]) -> Stream:
    """Return the stream that a worker process sends to `path` during `call(path)`.

    `idle` seconds without a message end the call, and raise `timed_out(idle)`.
    """
    reader = Reader(call, idle, timed_out)
    try:
        return Stream(reader.header(), reader.blocks(), reader.close)
    except BaseException:
        reader.close()
        raise
