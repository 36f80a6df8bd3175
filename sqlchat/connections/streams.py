"""Results that leave whole: rows on their way from a database to an answer, some at a time.

A `Stream` holds the rows as JSON, exactly as in JSON answers, and says which Arrow type each column has. A `Feed` is
the short queue between the thread that reads the database and the thread that writes the answer.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlchat.connections.faults import make_lost_error
from sqlchat.connections.results import Header, ReadRows, ReadTyped, Sink, keep_rows, read_no_types

if TYPE_CHECKING:
    from sqlchat.connections.servers.deadlines import Deadline

WAITING = 3
"""Blocks that may wait for the writer of the answer."""
UNLIMITED = 1 << 60
"""A number of rows that no result has."""
DIGITS = 38
"""Most digits of an exact number of 128 bits."""
WAITING_READER = 1e6
"""Seconds that a statement waits for the reader of its rows, who has limits of its own."""
LOOK = 0.1
"""Seconds between two looks at whether the stream was closed."""


class StreamClosedError(Exception):
    """Nobody wants the rest of the rows."""


class Stream:
    """Iterate it once for blocks of rows of JSON: `1,"a"` and a line end each. Close it in any case.

    No other line ends are in a block but those within strings, which may hold control characters as they are.
    Iterating raises what `Connection.run` raises, and StreamClosedError once it is closed.
    """

    def __init__(
        self,
        header: Header,
        items: Iterable[Any],
        close: Callable[[], None],
        read_rows: ReadRows = keep_rows,
        read_typed: ReadTyped = read_no_types,
    ) -> None:
        self.header, self._items, self._close = header, items, close
        self.read_rows, self.read_typed = read_rows, read_typed
        self.row_count = 0
        """Rows that were written, as their writer counts them."""
        self.held: object = None
        """An object that must stay open as long as the stream is there."""

    def __iter__(self) -> Iterator[bytes]:
        return map(self.read_rows, self._items)

    def declare_scales(self, scales: Sequence[int | None]) -> None:
        """Give exact numbers whose scale the database does not tell the one that the SQL tells."""
        if len(scales) != len(self.header.columns):
            return
        kinds = [
            f"decimal({DIGITS}, {scale})" if (type, kind) == ("numeric", "string") and scale is not None else kind
            for type, kind, scale in zip(self.header.types, self.header.arrow, scales, strict=True)
        ]
        self.header = replace(self.header, arrow=tuple(kinds))

    def items(self) -> Iterator[Any]:
        """Iterate what the database sent, for `read_rows` or `read_typed`, in place of iterating the rows."""
        return iter(self._items)

    def wait_for_rows(self) -> None:
        """Wait for the first batch, so that what goes wrong before it is raised here."""
        items = iter(self._items)
        self._items = itertools.chain(list(itertools.islice(items, 1)), items)

    def close(self) -> None:
        """Stop the statement and free what it holds. Safe to call twice, and from another thread."""
        self._close()


class Feed(Sink):
    """A sink whose batches a thread puts and another one reads. A few wait at most."""

    def __init__(self) -> None:
        self._items: queue.Queue[tuple[str, Any]] = queue.Queue(WAITING)
        self._closed = threading.Event()
        self._has_begun = self._has_ended = False
        self._stop: Callable[[], object] | None = None
        self._deadline: Deadline | None = None
        self._idle = 0.0
        self._lock = threading.Lock()

    def start(self, work: Callable[[Feed], None]) -> None:
        """Run `work(feed)` on a thread, which ends soon after `close`."""
        threading.Thread(target=self._run, args=(work,), name="stream", daemon=True).start()

    def begin(self, header: Header, read_rows: ReadRows = keep_rows, read_typed: ReadTyped = read_no_types) -> None:
        """Raises DatabaseUnavailableError for a statement that is repeated: its first rows may have gone."""
        if self._has_begun:
            raise make_lost_error()
        self._has_begun = True
        self._put("item", (header, read_rows, read_typed))

    def put(self, batch: Any) -> None:
        if self._deadline:
            self._deadline.renew(WAITING_READER)
        self._put("item", batch)
        if self._deadline:
            self._deadline.renew(self._idle)

    def receive(self, item: Any) -> None:
        """Take the header or a batch from a worker process."""
        if isinstance(item, Header):
            self.begin(item)
        else:
            self.put(item)

    def __next__(self) -> Any:
        while not self._closed.is_set():
            if self._has_ended:
                raise StopIteration
            with contextlib.suppress(queue.Empty):
                kind, item = self._items.get(timeout=LOOK)
                if kind == "item":
                    return item
                self._has_ended = True
                if kind == "fault":
                    raise item
        raise StreamClosedError

    def __iter__(self) -> Iterator[Any]:
        return self

    @contextlib.contextmanager
    def watch(
        self, stop: Callable[[], object], deadline: Deadline | None = None, idle: float = 0.0
    ) -> Iterator[None]:
        with self._lock:
            self._stop, self._deadline, self._idle = stop, deadline, idle
        try:
            yield
        finally:
            with self._lock:
                self._stop = self._deadline = None

    def close(self) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._closed.set()
                if self._stop:
                    self._stop()

    def _put(self, kind: str, item: Any) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put((kind, item), timeout=LOOK)
                return
        raise StreamClosedError

    def _run(self, work: Callable[[Feed], None]) -> None:
        with contextlib.suppress(StreamClosedError):
            try:
                work(self)
            except BaseException as exc:  # noqa: BLE001 - it is raised where the rows are read
                self._put("fault", exc)
            else:
                self._put("end", None)


def open_feed(work: Callable[[Feed], None]) -> Stream:
    """Return a stream of what `work(feed)` puts, on a thread of its own."""
    feed = Feed()
    feed.start(work)
    try:
        header, read_rows, read_typed = next(feed)
    except BaseException:
        feed.close()
        raise
    return Stream(header, feed, feed.close, read_rows, read_typed)
