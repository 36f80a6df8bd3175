"""A client's connection: reads requests ahead of the threads, decides which threads suit them, closes politely."""

from __future__ import annotations

import re
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any

from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from sqlchat.errors import RequestTimeoutError

PROBE = re.compile(rb"(?:GET|HEAD) /(health|ready|metrics)[ ?]")
WITH_TOKEN = re.compile(rb"\r\nauthorization[ \t]*:", re.IGNORECASE)
"""A caller's token may need keys from another host, so no probe with one is quick; that of `/metrics` is none."""
BODY = re.compile(rb"\r\n(content-length|transfer-encoding|expect|upgrade)[ \t]*:[ \t]*([^\r]*)", re.IGNORECASE)
"""Headers that announce a body, or that the client waits for an answer before it sends one."""
END_OF_HEADERS = b"\r\n\r\n"
MOST_DIGITS = 12
READ_AT_ONCE = 16 << 10
SLOWEST = 1024
"""Bytes/s below which a client uses up our patience."""
SENT_TOGETHER = 64 << 10
"""Bytes of a body that are copied behind the headers."""


LINGER = 0.02
"""Seconds that a thread waits for the next request of the connection that it has answered."""


class Threads(Enum):
    """Which threads handle a request."""

    USUAL = "usual"
    SLOW = "slow"
    """For requests that a thread has to read on."""
    HEALTH = "health"
    PROBES = "probes"


class ClientSocket(socket.socket):
    """A socket that changes its mode only if it has another: each change lets another thread have Python's lock."""

    def setblocking(self, flag: bool) -> None:
        if flag != self.getblocking():
            super().setblocking(flag)


class Answer(wsgi.Response):  # type: ignore[misc]
    """Sends the headers with the first bytes of the body: each send lets another thread have Python's lock."""

    sock: Any
    _head = b""

    def send_headers(self) -> None:
        """Keep them for the first bytes of the body, or for the end."""
        sock, self.sock = self.sock, self
        super().send_headers()
        self.sock = sock

    def sendall(self, head: bytes) -> None:
        self._head += head

    def _emit_body(self, data: bytes) -> None:
        if self.chunked:
            data = b"%X\r\n%b\r\n" % (len(data), data)
        if len(data) > SENT_TOGETHER:
            self._send_head()
        self.sock.sendall(self._head + data if self._head else data)
        self._head = b""

    def sendfile(self, respiter: Any) -> bool:
        """A file is sent piece by piece."""
        return False

    def close(self) -> None:
        self.send_headers()
        self._send_head()
        super().close()

    def _send_head(self) -> None:
        if self._head:
            self.sock.sendall(self._head)
            self._head = b""


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """Waits for a client at most `patience` seconds in all; each SLOWEST bytes that arrive add one second again.

    An upload that moves may take as long as it needs. Time that the application spends between two reads does not
    count. Raises RequestTimeoutError.
    """

    max_body_chunk = 64 << 10  # as the reader of forms takes them: gunicorn copies the rest of a chunk with each read

    def __init__(self, sock: Any, patience: float) -> None:
        super().__init__(sock)
        self._patience = self._left = patience

    def begin(self) -> None:
        """Start a new request, with all the patience."""
        self._left = self._patience

    def chunk(self, size_hint: int | None = None) -> bytes:
        asked = self.sock.gettimeout()  # gunicorn's own, while it discards a body
        allowed = self._left if asked is None else min(asked, self._left)
        started = time.monotonic()
        self.sock.settimeout(max(allowed, 0.001))
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError as exc:
            if asked is not None and asked <= self._left:
                raise
            self._left = 0
            raise make_timeout_error(self._patience) from exc
        finally:
            self.sock.settimeout(asked)
        waited = time.monotonic() - started
        self._left = min(self._patience, self._left - waited + len(data) / SLOWEST)
        return data


class Connection(TConn):  # type: ignore[misc]
    """A client's connection.

    The event loop reads each request until all of it is there; not over TLS and HTTP/2, whose bytes it cannot read.
    """

    def __init__(self, *given: Any, patience: float, closing: ThreadPoolExecutor) -> None:
        super().__init__(*given)
        self._patience, self._closing = patience, closing
        self._most = int(patience * SLOWEST)
        """Bytes that the event loop waits for; a larger request is for a thread."""
        self._is_opaque = self.cfg.is_ssl or "h2" in self.cfg.http_protocols
        self._has_ended = False
        self.data_ready = True  # gunicorn need not wait for it
        self._received, self._searched, self._size = bytearray(), 0, 0
        self._threads: Threads | None = None
        self.is_whole = False
        """Whether all of the request that the parser has now arrived before it."""
        if not self._is_opaque:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(LINGER * 1e6)))

    def receive(self, flags: int = socket.MSG_DONTWAIT) -> bool:
        """Read what has arrived; without `flags`, what arrives within LINGER. False if nothing came."""
        if self._is_opaque:
            return True  # the event loop knows that something came
        try:
            data = self.sock.recv(READ_AT_ONCE, flags)
        except BlockingIOError:
            return False
        except OSError:  # a thread will meet it again
            data = b""
        self._received += data
        self._has_ended = not data
        return True

    def await_next(self) -> Threads | None:
        """Wait for a next request. Returns the threads for it; None if it has not come, or not as a whole."""
        if self._is_opaque:
            return None
        self._take_back()
        ends_at = time.monotonic() + LINGER
        threads = self.choose_threads() if self._received else None
        while threads is None and time.monotonic() < ends_at and self.receive(0):
            threads = self.choose_threads()
        return threads

    def has_begun(self) -> bool:
        """Whether a part of a request is here."""
        return bool(self._received)

    def choose_threads(self) -> Threads | None:
        """The threads for what has arrived; None if the event loop is to read on."""
        if self._is_opaque or self._has_ended:
            return Threads.USUAL
        self._take_back()
        if self._threads is None:
            end = self._received.find(END_OF_HEADERS, self._searched)
            if end < 0:
                self._searched = max(0, len(self._received) - len(END_OF_HEADERS) + 1)
                return None if len(self._received) <= self._most else Threads.SLOW
            self._threads = self._read_headers(bytes(self._received[:end]))
        if len(self._received) >= self._size:
            return self._threads
        return None if self._size <= self._most else Threads.SLOW

    def _read_headers(self, head: bytes) -> Threads:
        """Set the size of the whole request. Returns the threads for it."""
        headers, probe = BODY.findall(head), PROBE.match(head)
        self._size = len(head) + len(END_OF_HEADERS)
        if headers:
            (name, value), *more = headers
            if more or name.lower() != b"content-length" or not value.isdigit() or len(value) > MOST_DIGITS:
                return Threads.SLOW
            self._size += int(value)
        elif probe and probe[1] == b"metrics":
            return Threads.PROBES
        elif probe and not WITH_TOKEN.search(head):
            return Threads.HEALTH if probe[1] == b"health" else Threads.PROBES
        return Threads.USUAL

    def init(self) -> None:
        """Hand what was received to the parser. Called on a thread before each request."""
        super().init()
        if self.is_http2:
            return
        if not isinstance(self.parser.unreader, PatientUnreader):
            replaced = self.parser.unreader
            self.parser.unreader = PatientUnreader(self.sock, self._patience)
            self.parser.unreader.unread(replaced.take_buffered())
        self.parser.unreader.begin()
        self.put_back()

    def _take_back(self) -> None:
        """Take from the parser what it read beyond the request before."""
        if self.parser is not None:
            self._received[:0] = self.parser.unreader.take_buffered()

    def put_back(self) -> None:
        """Give the parser what was received."""
        self.is_whole = self._threads is not Threads.SLOW and 0 < self._size <= len(self._received)
        self.parser.unreader.unread(bytes(self._received))
        self._received, self._searched, self._size, self._threads = bytearray(), 0, 0, None

    def close(self, graceful: bool = False) -> None:
        """If graceful, say goodbye now, and leave it to another thread to hear the client out."""
        if not graceful:
            super().close()
            return
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            super().close()
        else:
            self._closing.submit(super().close, graceful=True)


def make_timeout_error(patience: float) -> RequestTimeoutError:
    return RequestTimeoutError(f"The request did not arrive: waited {patience:g} s for it.")
