"""Streams rows out of a worker process over a Unix socket in a private folder, while the call runs.

The call is made on a thread here. The worker connects and sends its process id, a header, batches and an end. When
the reader leaves, the worker gets an error at its next batch; if it computes on, it is killed.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from sqlchat.connections.streams import LOOK, Header, Stream, StreamClosedError

if TYPE_CHECKING:
    import pyarrow as pa

FOREVER = 1e6
"""Seconds for a call whose reader watches it."""
LEAVING = 0.3
"""Seconds that a worker has to notice that its reader has gone."""
END = b"end"
HEAD = 8
"""Bytes of the length before each message."""


class Sender:
    """In a worker process: sends a stream to the reader that listens at `path`."""

    def __init__(self, path: str) -> None:
        """Raises OSError if nobody listens any more."""
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(path)
        self._send(str(os.getpid()).encode())

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *exc: object) -> None:
        self._line.close()

    def begin(self, header: Header) -> None:
        self._send(pickle.dumps(header))

    def put(self, batch: pa.RecordBatch) -> None:
        self._send(pickle.dumps(batch))

    def end(self) -> None:
        self._send(END)

    def _send(self, message: bytes) -> None:
        self._line.sendall(len(message).to_bytes(HEAD, "big"))
        self._line.sendall(message)


class Reader:
    """Reads what one call in a worker process sends."""

    def __init__(self, call: Callable[[str], object], idle: float, timed_out: Callable[[float], Exception]) -> None:
        self._idle, self._timed_out = idle, timed_out
        self._folder = tempfile.mkdtemp(prefix="sqlchat-stream-")
        path = os.path.join(self._folder, "s")
        self._listener = socket.socket(socket.AF_UNIX)
        self._line: socket.socket | None = None
        self._file: BinaryIO | None = None
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
        """Wait for the call to begin its answer. A call that is made again connects again."""
        while True:
            self._drop()
            self._line = self._accept()
            self._line.settimeout(self._idle)
            self._file = self._line.makefile("rb")
            try:
                self._pid = int(self._receive())
                header: Header = pickle.loads(self._receive())  # noqa: S301 - of a process of our own
            except EOFError:
                continue
            self._clean_up()
            return header

    def batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._batches()
        finally:
            self._drop()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while True:
            try:
                message = self._receive()
            except EOFError:
                self._calling.join()
                raise self._fault or StreamClosedError from None
            if message == END:
                self._calling.join()
                return
            yield pickle.loads(message)  # noqa: S301 - of a process of our own

    def close(self) -> None:
        """End the call, whatever it does."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._line:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)
        self._calling.join(LEAVING)
        if self._calling.is_alive():
            self._kill()
        self._drop()
        self._clean_up()

    def _call(self, call: Callable[[str], object], path: str) -> None:
        try:
            call(path)
        except BaseException as exc:  # noqa: BLE001 - it is raised where the rows are read
            self._fault = exc

    def _accept(self) -> socket.socket:
        while not self._closed.is_set():
            with contextlib.suppress(TimeoutError):
                line, _ = self._listener.accept()
                return line
            if not self._calling.is_alive():
                raise self._fault or StreamClosedError
        raise StreamClosedError

    def _receive(self) -> bytes:
        """The next message. Raises EOFError when the call has ended, and what its time limit raises."""
        try:
            return self._read(int.from_bytes(self._read(HEAD), "big"))
        except TimeoutError:
            self._kill()
            raise self._timed_out(self._idle) from None
        except (EOFError, OSError, ValueError):
            if self._closed.is_set():
                raise StreamClosedError from None
            raise EOFError from None

    def _read(self, size: int) -> bytes:
        assert self._file is not None
        data = self._file.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _drop(self) -> None:
        if self._file and self._line:
            self._file.close()
            self._line.close()

    def _kill(self) -> None:
        """Kill the process, which serves this call alone and is not waited for before the call has ended."""
        if self._pid and self._calling.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _clean_up(self) -> None:
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def open_worker_stream(call: Callable[[str], object], idle: float, timed_out: Callable[[float], Exception]) -> Stream:
    """A stream of what `call(path)` has a worker process send to `path`.

    `idle` seconds without anything sent end the call, and raise what `timed_out` makes of them.
    """
    reader = Reader(call, idle, timed_out)
    try:
        return Stream(reader.header(), reader.batches(), reader.close)
    except BaseException:
        reader.close()
        raise
