"""The worker process: its event loop, its threads, and the answers to requests that never reach the application."""

from __future__ import annotations

import errno
import io
import logging
import mmap
import socket
import time
import uuid
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import errors as gunicorn_errors  # type: ignore[import-untyped]
from gunicorn.http import wsgi
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker  # type: ignore[import-untyped]

from sqlchat.api.problems import MEDIA_TYPE, list_members, write_json
from sqlchat.config import Settings
from sqlchat.errors import (
    BadRequestError,
    BusyError,
    ExpectationError,
    HeadersTooLargeError,
    RequestTimeoutError,
    SqlchatError,
    TransferCodingError,
    UriTooLongError,
)
from sqlchat.serving.clients import Answer, ClientSocket, Connection, Threads, make_timeout_error
from sqlchat.telemetry import metrics

log = logging.getLogger("sqlchat.request")

PROBE_THREADS = 2
CLOSING_THREADS = 4
GAUGE_INTERVAL = 1.0  # seconds
YIELD, LONGEST_YIELD = 0.001, 0.005
"""Seconds that a worker leaves a new connection to others, for each that it has more than they; and at most."""
MOST_WORKERS = 256
FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE = 0.05
"""Seconds to wait if the system has no room for another connection."""

REFUSALS: tuple[tuple[type[Exception], SqlchatError], ...] = (
    (gunicorn_errors.LimitRequestLine, UriTooLongError("The path and query are too long.")),
    (
        gunicorn_errors.LimitRequestHeaders,
        HeadersTooLargeError("There are too many headers, or one of them is too long."),
    ),
    (
        gunicorn_errors.UnsupportedTransferCoding,
        TransferCodingError("Of transfer codings, only `chunked` is understood."),
    ),
    (gunicorn_errors.ExpectationFailed, ExpectationError("Of expectations, only `100-continue` is understood.")),
    (gunicorn_errors.ParseException, BadRequestError("The request is malformed.")),
    (OSError, BadRequestError("The request is malformed.")),
)
BUSY = BusyError("The service has more to do than it can; try again a little later.", retry_after=1)
BUG = SqlchatError("This is a fault of the service; its log has more.")
FAULTS = (
    gunicorn_errors.InvalidResponseHeader,
    gunicorn_errors.InvalidResponseHeaderName,
    gunicorn_errors.ConfigurationProblem,
)
"""gunicorn counts them as malformed requests, but they are faults of the application."""


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

    alive: bool
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
        self._pools = {
            Threads.USUAL: ThreadPoolExecutor(self.cfg.threads, "usual"),
            Threads.SLOW: ThreadPoolExecutor(max(1, self.cfg.threads // 2), "slow"),
            Threads.HEALTH: ThreadPoolExecutor(PROBE_THREADS, "health"),
            Threads.PROBES: ThreadPoolExecutor(PROBE_THREADS, "probes"),
        }
        self._closing = ThreadPoolExecutor(CLOSING_THREADS, "closing")
        self._set_gauge, self._gauges_set_at = metrics.make_gauges(), 0.0
        self._active: Counter[Threads] = Counter()  # requests on threads or waiting for one
        self._queued: dict[Threads, deque[tuple[float, Connection, Future[Any]]]] = {
            Threads.USUAL: deque(),
            Threads.SLOW: deque(),
        }
        super().init_process()  # returns when the worker ends

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return self._pools[Threads.USUAL]

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
            raw, address = listener.accept()
        except OSError as exc:
            if exc.errno in FULL:
                log.warning("no room for another connection", extra={"errno": exc.errno})
                time.sleep(PAUSE)
            elif exc.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                raise
            return exc.errno == errno.ECONNABORTED
        sock = ClientSocket(raw.family, raw.type, raw.proto, raw.detach())
        if sock.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            # a client that takes nothing of its answer keeps a thread, too
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._patience * 1000))
        self.nr_conns += 1
        self.loads.tell(self.age, self.nr_conns)
        given = self.cfg, sock, address, listener.getsockname()
        self._await_request(Connection(*given, patience=self._patience, closing=self._closing))
        return True

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Read what came on a connection that was answered before."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        if conn.receive():
            self.enqueue_req(conn)
        else:
            self._await_request(conn)

    def on_pending_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Read more of a request. All of it is to be there within our patience, counted from its first bytes."""
        is_first = not conn.has_begun()
        if not conn.receive():
            return
        threads = conn.choose_threads()
        if threads or is_first:
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self._hand_over(conn, threads)

    def enqueue_req(self, conn: Connection) -> None:
        """Called with a connection on which something has arrived."""
        self._hand_over(conn, conn.choose_threads())

    def _hand_over(self, conn: Connection, threads: Threads | None) -> None:
        """Give a request to a thread, or wait for the rest of it."""
        if threads is None:
            self._await_request(conn)
            return
        handle = self._handle_several if threads is Threads.USUAL else self.handle
        future = self._pools[threads].submit(handle, conn)
        future.add_done_callback(partial(self.method_queue.defer, self._finish, threads, conn))
        self._active[threads] += 1
        if threads in self._queued:
            self._queued[threads].append((time.monotonic() + self._queue_timeout, conn, future))

    def _await_request(self, conn: Connection) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self._patience
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _handle_several(self, conn: Connection) -> Any:
        """Handle a request, and those that follow it at once on its connection while no other waits for a thread."""
        result = self.handle(conn)
        while result is True and self._active[Threads.USUAL] <= self.cfg.threads:
            if conn.await_next() is not Threads.USUAL:
                conn.put_back()
                break
            result = self.handle(conn)
        return result

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Have the application answer. Returns whether the connection can serve another request.

        As gunicorn's without its hooks, but with an `Answer`.
        """
        started = datetime.now()
        answer, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg, Answer)
        environ["wsgi.multithread"] = True
        if conn.is_whole:
            environ["wsgi.input"] = io.BytesIO(req.body.read())
        self.nr += 1
        self.alive = self.alive and self.nr < self.max_requests
        if not self.alive or not self.cfg.keepalive or len(self.keepalived_conns) >= self.max_keepalived:
            answer.force_close()
        body = self.wsgi(environ, answer.start_response)
        try:
            for piece in body:
                answer.write(piece)
            answer.close()
        except OSError:
            raise
        except Exception as exc:
            if not answer.headers_sent:
                raise
            log.error("an answer broke off", exc_info=exc)
            util.close_graceful(conn.sock)
            raise StopIteration from exc
        finally:
            self.log.access(answer, req, environ, datetime.now() - started)
            if hasattr(body, "close"):
                body.close()
        return not answer.should_close()

    def _finish(self, threads: Threads, conn: Connection, future: Future[Any]) -> None:
        self._active[threads] -= 1
        self.finish_request(conn, future)

    def murder_pending(self) -> None:
        """Called about once a second at least: end what has waited too long, for a request or for a thread."""
        now = time.monotonic()
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            self._drop(self.pending_conns.popleft(), make_timeout_error(self._patience))
        self.loads.tell(self.age, self.nr_conns)
        self._report_use()
        for queued in self._queued.values():
            while queued:
                deadline, conn, future = queued[0]
                is_waiting = not (future.running() or future.done())
                if is_waiting and now < deadline:
                    break
                queued.popleft()
                if is_waiting and future.cancel():  # which has the connection closed, after this
                    self._refuse(conn.sock, BUSY)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a request that never reached the application, or fell out of it."""
        error = exc if isinstance(exc, SqlchatError) else None
        if not isinstance(exc, FAULTS):
            error = error or next((refusal for kind, refusal in REFUSALS if isinstance(exc, kind)), None)
        if error is None:
            log.error("unhandled error", exc_info=exc)
        self._refuse(client, error or BUG)

    def _report_use(self) -> None:
        """End what is idle, and set the gauges of this process; once a second at most."""
        now = time.monotonic()
        if now - self._gauges_set_at < GAUGE_INTERVAL:
            return
        self._gauges_set_at = now
        active = self._active[Threads.USUAL]
        busy = min(active, self.cfg.threads)
        threads: dict[tuple[str, ...], float] = {
            ("busy",): busy,
            ("idle",): self.cfg.threads - busy,
            ("waiting",): active - busy,
        }
        self._set_gauge("threads", threads)
        self._set_gauge("client_connections", {(): self.nr_conns})
        runtime = self.wsgi.extensions["sqlchat"]
        runtime.end_idle()
        for name, values in runtime.count_use().items():
            self._set_gauge(name, values)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """False, too, if a body that nobody read is malformed: its request has been answered."""
        if conn.is_whole:
            conn.parser.mesg = None  # nothing is left of it to discard
            return keepalive
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except (gunicorn_errors.ParseException, RequestTimeoutError):
            return False

    def _make_room(self) -> None:
        """Close the connection that has been idle for longest; one that never asked anything, if there is one."""
        if idle := self.pending_conns or self.keepalived_conns:
            self._drop(idle.popleft(), BUSY)

    def _drop(self, conn: Connection, error: SqlchatError) -> None:
        """Close a connection of the event loop; `error` is the answer to a request that has begun on it."""
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        if has_begun := conn.has_begun():
            self._refuse(conn.sock, error)
        conn.close(graceful=has_begun)

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

    def _refuse(self, client: Any, error: SqlchatError) -> None:
        """Send a problem, as far as the client takes it, and leave the request's line in the log."""
        request_id = uuid.uuid4().hex
        is_ours = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        facts = {"request_id": request_id, "status": error.status, "code": error.code}
        metrics.count_refusal(error.code)
        if is_ours:
            log.warning("request", extra=facts | {"detail": error.detail})
        else:
            log.info("request", extra=facts)
        body = write_json(list_members(error.status, error.code, error.title, error.detail, request_id))
        lines = [f"HTTP/1.1 {error.status} {error.title}", "Connection: close", f"Date: {util.http_date()}"]
        lines += [f"Content-Type: {MEDIA_TYPE}", f"Content-Length: {len(body)}", f"X-Request-Id: {request_id}"]
        if error.retry_after is not None:
            lines.append(f"Retry-After: {error.retry_after}")
        if self.cfg.is_ssl and not hasattr(client, "pending"):
            return  # TLS has not begun, so nothing can be said
        try:
            util.write_nonblock(client, "\r\n".join([*lines, "", ""]).encode() + body)
        except OSError as exc:
            log.debug("the client did not wait for its answer: %s", exc)
