"""gunicorn's threaded worker, so that no client can keep the threads from the others.

What gunicorn's own does differently, and what is done about it here:

- A new connection waits for its first byte on a thread; here the event loop waits for it.
- Idle connections may take all the room there is; here the oldest of them makes room for a new one.
- Reading headers or a body may take for ever; here a request that keeps a thread waiting ends in 400.
- A request for which no thread is free waits for ever; here it ends in 503 after a while.
- `/health` waits in the same queue; here it has threads of its own, since it must answer while all others are busy.
  So have `/ready` and `/metrics`, which may wait for the store.
- Of two workers the one that wakes first takes a new connection; here the one with more leaves it to the other.
- A worker that ends resets the connections that wait in the kernel's queue; here it takes and answers them first.
- A connection is closed in the event loop, which a client can hold up for two seconds; here beside it.
- Failures before and behind the application are HTML; here they are problem bodies like all others.
"""

from __future__ import annotations

import errno
import logging
import mmap
import re
import socket
import time
import uuid
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import errors as gunicorn_errors  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker  # type: ignore[import-untyped]

from sqlchat.api.problems import MEDIA_TYPE, list_members, write_json
from sqlchat.config import Settings
from sqlchat.errors import BusyError, RequestTimeoutError, SqlchatError
from sqlchat.telemetry import metrics

log = logging.getLogger("sqlchat.request")

PROBE = re.compile(rb"(?:GET|HEAD) /(health|ready|metrics)[ ?]")
NOT_QUICK = re.compile(rb"\r\n(content-length|transfer-encoding|expect|upgrade)[ \t]*:", re.IGNORECASE)
"""Headers with which even a probe may have to wait for a body..."""
WITH_TOKEN = re.compile(rb"\r\nauthorization[ \t]*:", re.IGNORECASE)  # ...or for the keys of a caller's token
PEEKED = 8192
"""Bytes of a request that are looked at before it gets a thread."""
SLOWEST = 1024
"""Bytes/s below which a client that sends uses up our patience."""
HEALTH_THREADS = 2
PROBE_THREADS = 2
CLOSING_THREADS = 4
TELLING = 1.0
"""Seconds between two looks at what is in use."""
YIELD = 0.001
"""Seconds that a worker leaves a new connection to others, for each that it has more than one of them..."""
LONGEST_YIELD = 0.005  # ...and at most
MOST_WORKERS = 256
FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE = 0.05
"""Seconds to wait where the system has no room for another connection."""

Refusal = tuple[int, str, str, str]
"""Status, code, title and detail of a problem."""

REFUSALS: tuple[tuple[type[Exception], Refusal], ...] = (
    (gunicorn_errors.LimitRequestLine, (400, "uri_too_long", "URI too long", "The path and query are too long.")),
    (
        gunicorn_errors.LimitRequestHeaders,
        (400, "headers_too_large", "Headers too large", "There are too many headers, or one of them is too long."),
    ),
    (
        gunicorn_errors.UnsupportedTransferCoding,
        (400, "not_implemented", "Not implemented", "Of transfer codings, only `chunked` is understood."),
    ),
    (
        gunicorn_errors.ExpectationFailed,
        (400, "expectation_failed", "Expectation failed", "Of expectations, only `100-continue` is understood."),
    ),
)
"""What the client got wrong, where it is not just that its request is malformed. All are 400, as the API says of bad
requests, with a code of their own."""
RETRY_AFTER = "1"  # s
NO_HEADERS: Mapping[str, str] = {}
MALFORMED = (400, "bad_request", "Bad request", "The request is malformed.")
FAULTS = (
    gunicorn_errors.InvalidResponseHeader,
    gunicorn_errors.InvalidResponseHeaderName,
    gunicorn_errors.ConfigurationProblem,
)
"""gunicorn counts them among malformed requests, but they are ours."""


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads a request, and waits for its client at most `patience` seconds, which what arrives buys back.

    So a pause ends in RequestTimeoutError, and so does a trickle below SLOWEST; an upload that moves never does,
    however long it takes, and time that the application spends between two reads does not count.
    """

    def __init__(self, sock: Any, patience: float) -> None:
        super().__init__(sock)
        self._patience = self._left = patience

    def begin(self) -> None:
        """A new request starts with all the patience there is."""
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
            raise RequestTimeoutError(f"The request did not arrive: waited {self._patience:g} s for it.") from exc
        finally:
            self.sock.settimeout(asked)
        waited = time.monotonic() - started
        self._left = min(self._patience, self._left - waited + len(data) / SLOWEST)
        return data


class Connection(TConn):  # type: ignore[misc]
    """A client's connection. Closes beside the event loop, and reads patiently but not for ever."""

    def __init__(self, *given: Any, patience: float, closing: ThreadPoolExecutor) -> None:
        super().__init__(*given)
        self._patience, self._closing = patience, closing

    def init(self) -> None:
        """Called on a thread before each request."""
        super().init()
        if self.is_http2:
            return
        if not isinstance(self.parser.unreader, PatientUnreader):
            replaced = self.parser.unreader
            self.parser.unreader = PatientUnreader(self.sock, self._patience)
            self.parser.unreader.unread(replaced.take_buffered())
        self.parser.unreader.begin()

    def close(self, graceful: bool = False) -> None:
        """Where graceful, say goodbye now, and leave it to another thread to hear the client out."""
        if not graceful:
            super().close()
            return
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            super().close()
        else:
            self._closing.submit(super().close, graceful=True)

    def has_read_ahead(self) -> bool:
        """True where the next request, or part of it, was read with the last one."""
        return self.parser is not None and bool(self.parser.unreader.buf.getvalue())


class Loads:
    """How many connections each worker has, in memory that the master shares with all of them."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, 8 * MOST_WORKERS)).cast("q")

    def tell(self, worker: int, count: int) -> None:
        self._counts[worker % MOST_WORKERS] = 1 + count

    def forget(self, worker: int) -> None:
        self._counts[worker % MOST_WORKERS] = 0

    def count_surplus(self, worker: int) -> int:
        """How many connections `worker` has more than the one that has fewest."""
        return self._counts[worker % MOST_WORKERS] - min(filter(None, self._counts), default=1)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Set as gunicorn's `worker_class`. Its settings are `client_timeout` and `queue_timeout`."""

    loads: Loads
    sockets: list[socket.socket]

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Called in the master, before it forks."""
        super().check_config(cfg, log)
        cls.loads = Loads()

    def init_process(self) -> None:
        settings = Settings.from_environ()
        self._patience, self._queue_timeout = settings.client_timeout, settings.queue_timeout
        self._quick = {
            b"health": ThreadPoolExecutor(HEALTH_THREADS, "health"),
            b"ready": (probes := ThreadPoolExecutor(PROBE_THREADS, "probe")),
            b"metrics": probes,
        }
        self._set_gauge, self._told_at = metrics.make_gauges(), 0.0
        self._closing = ThreadPoolExecutor(CLOSING_THREADS, "closing")
        self._active = 0  # requests on threads or waiting for one
        self._queued: deque[tuple[float, Connection, Future[Any]]] = deque()
        super().init_process()  # returns when the worker ends

    def run(self) -> None:
        self.loads.tell(self.age, 0)
        super().run()

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and self.alive)
        if not self.alive:
            self._leave_listeners()

    def accept(self, listener: socket.socket) -> None:
        """Let a new connection wait for its first byte in the event loop."""
        if surplus := self.loads.count_surplus(self.age):
            time.sleep(min(LONGEST_YIELD, YIELD * surplus))
        if self.nr_conns >= self.worker_connections - 1:
            self._make_room()
        self._accept_one(listener)

    def _accept_one(self, listener: socket.socket) -> bool:
        """Return whether a connection could be taken from the listener's queue."""
        try:
            sock, address = listener.accept()
        except OSError as exc:
            if exc.errno in FULL:
                log.warning("no room for another connection", extra={"errno": exc.errno})
                time.sleep(PAUSE)
            elif exc.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                raise
            return exc.errno == errno.ECONNABORTED
        if sock.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            # a client that takes nothing of its answer keeps a thread, too
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._patience * 1000))
        self.nr_conns += 1
        self.loads.tell(self.age, self.nr_conns)
        conn = Connection(
            self.cfg, sock, address, listener.getsockname(), patience=self._patience, closing=self._closing
        )
        conn.timeout = time.monotonic() + self._patience
        self.pending_conns.append(conn)
        self.poller.register(sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))
        return True

    def enqueue_req(self, conn: Connection) -> None:
        """Give a request that begins to arrive to a thread, when one is free."""
        quick = self._find_quick_threads(conn)
        future = (quick or self.tpool).submit(self.handle, conn)
        future.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))
        self._active += 1
        if not quick:
            self._queued.append((time.monotonic() + self._queue_timeout, conn, future))

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        self._active -= 1
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Called about once a second at least: end what has waited too long, for a byte or for a thread."""
        super().murder_pending()
        self.loads.tell(self.age, self.nr_conns)
        self._tell_use()
        while self._queued:
            deadline, conn, future = self._queued[0]
            waits = not (future.running() or future.done())
            if waits and time.monotonic() < deadline:
                break
            self._queued.popleft()
            if waits and future.cancel():  # which has the connection closed, after this
                busy = BusyError("The service has more to do than it can; try again a little later.")
                self._refuse(conn.sock, _write_refusal(busy), {"Retry-After": RETRY_AFTER})

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a request that never reached the application, or fell out of it."""
        if isinstance(exc, SqlchatError):
            self._refuse(client, _write_refusal(exc))
        elif isinstance(exc, (gunicorn_errors.ParseException, OSError)) and not isinstance(exc, FAULTS):
            self._refuse(client, next((refusal for kind, refusal in REFUSALS if isinstance(exc, kind)), MALFORMED))
        else:
            log.error("unhandled error", exc_info=exc)
            self._refuse(client, _write_refusal(SqlchatError("This is a fault of the service; its log has more.")))

    def _tell_use(self) -> None:
        """End what is idle, and set the gauges of this process; once a second at most."""
        now = time.monotonic()
        if now - self._told_at < TELLING:
            return
        self._told_at = now
        busy = min(self._active, self.cfg.threads)
        threads: dict[tuple[str, ...], float] = {
            ("busy",): busy,
            ("idle",): self.cfg.threads - busy,
            ("waiting",): self._active - busy,
        }
        self._set_gauge("threads", threads)
        self._set_gauge("client_connections", {(): self.nr_conns})
        runtime = self.wsgi.extensions["sqlchat"]
        runtime.end_idle()
        for name, values in runtime.count_use().items():
            self._set_gauge(name, values)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """False, too, where a body that nobody read is malformed: its request has been answered."""
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except (gunicorn_errors.ParseException, RequestTimeoutError):
            return False

    def _make_room(self) -> None:
        """Close the connection that has been idle for longest; of those that never asked anything, if there are."""
        if idle := self.pending_conns or self.keepalived_conns:
            conn = idle.popleft()
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()

    def _leave_listeners(self) -> None:
        """Take the connections that already wait in the kernel, refuse new ones, and hurry those that sent nothing.

        A listener that stayed open would go on queueing connections, and the end of the process would reset them.
        """
        for listener in self.sockets:
            listener.setblocking(False)
            while self._accept_one(listener):
                pass
            listener.close()
        self.sockets = []
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)

    def _find_quick_threads(self, conn: Connection) -> ThreadPoolExecutor | None:
        """The threads for what has arrived, if that is a whole request of a probe."""
        if self.cfg.is_ssl or conn.has_read_ahead():
            return None
        try:
            seen = conn.sock.recv(PEEKED, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return None
        head, end, _ = seen.partition(b"\r\n\r\n")
        asked = PROBE.match(head)
        if not (end and asked) or NOT_QUICK.search(head):
            return None
        if asked[1] != b"metrics" and WITH_TOKEN.search(head):
            return None
        return self._quick[asked[1]]

    def _refuse(self, client: Any, refusal: Refusal, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send a problem, as far as the client takes it, and leave the request's line in the log."""
        status, code, title, detail = refusal
        request_id = uuid.uuid4().hex
        level = logging.INFO if status < HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING
        told = {"detail": detail} if level > logging.INFO else {}
        metrics.count_refusal(code)
        log.log(level, "request", extra={"request_id": request_id, "status": status, "code": code, **told})
        body = write_json(list_members(status, code, title, detail, request_id))
        lines = [f"HTTP/1.1 {status} {title}", "Connection: close", f"Date: {util.http_date()}"]
        lines += [f"Content-Type: {MEDIA_TYPE}", f"Content-Length: {len(body)}", f"X-Request-Id: {request_id}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self.cfg.is_ssl and not hasattr(client, "pending"):
            return  # TLS has not begun, so nothing can be said
        try:
            util.write_nonblock(client, "\r\n".join([*lines, "", ""]).encode() + body)
        except OSError as exc:
            log.debug("the client did not wait for its answer: %s", exc)


def _write_refusal(error: SqlchatError) -> Refusal:
    return error.status, error.code, error.title, error.detail
