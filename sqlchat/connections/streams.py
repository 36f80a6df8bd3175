"""Results that leave whole: rows on their way from a database to an answer, some at a time.

A `Stream` holds the rows as texts, exactly as JSON has them, and says which Arrow type each column has. A `Feed` is
the short queue between the thread that reads the database and the thread that writes the answer.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1 << 19
"""Bytes that travel together."""
FLUSH = 0.25
"""Seconds after which the rows that are there travel, however few."""
WAITING = 3
"""Blocks that may wait for the writer of the answer."""
UNLIMITED = 1 << 60
"""A number of rows that no result has."""
LOOK = 0.1
"""Seconds between two looks at whether the stream was closed."""


class StreamClosedError(Exception):
    """Nobody wants the rest of the rows."""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a result, which come before its first row."""

    columns: tuple[str, ...]
    """Names in order; a name may occur twice."""
    types: tuple[str, ...]
    """The database's type of each column; "" where it does not say."""
    arrow: tuple[pa.DataType, ...]
    """The type of each column in Arrow and Parquet."""
    is_json: tuple[bool, ...]
    """Whether a column's texts are JSON (`1.50`, `"NaN"`, `[1, 2]`); else they are strings without quotes."""


ReadItem = Callable[[Any, Header], Any]
"""Makes a record batch of what a database sent."""


class Stream:
    """Iterate it once for record batches of strings, a column each; null is null. Close it in any case.

    Iterating raises what `Connection.run` raises, and StreamClosedError once it is closed.
    """

    def __init__(
        self,
        header: Header,
        items: Iterable[Any],
        close: Callable[[], None],
        read_texts: ReadItem = lambda item, _: item,
        read_typed: ReadItem | None = None,
    ) -> None:
        """`read_texts` makes a batch of strings of an item.

        `read_typed` makes one with the header's Arrow types, or None if only casting the strings can tell.
        """
        self.header, self._items, self._close = header, items, close
        self._read_texts, self._read_typed = read_texts, read_typed
        self.row_count = 0
        """Rows that were handed out."""
        self.held: object = None
        """An object that must stay open as long as the stream is there."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self._read(self._read_texts)

    def typed_batches(self, cast: Callable[[pa.RecordBatch], pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches with the header's Arrow types, in place of iterating. `cast` gives one of strings these types."""

        def read(item: Any, header: Header) -> pa.RecordBatch:
            typed = self._read_typed(item, header) if self._read_typed else None
            return cast(self._read_texts(item, header)) if typed is None else typed

        return self._read(read)

    def wait_for_rows(self) -> None:
        """Wait for the first batch, so that what goes wrong before it is raised here."""
        items = iter(self._items)
        self._items = itertools.chain(list(itertools.islice(items, 1)), items)

    def _read(self, read: ReadItem) -> Iterator[pa.RecordBatch]:
        for item in self._items:
            batch = read(item, self.header)
            self.row_count += batch.num_rows
            yield batch

    def close(self) -> None:
        """Stop the statement and free what it holds. Safe to call twice, and from another thread."""
        self._close()


class Feed:
    """Items that a thread of its own makes, of which a few wait at most."""

    def __init__(self) -> None:
        self._items: queue.Queue[tuple[str, Any]] = queue.Queue(WAITING)
        self._closed = threading.Event()
        self._has_ended = False
        self._break_off: Callable[[], object] | None = None
        self._lock = threading.Lock()

    def start(self, work: Callable[[Feed], None]) -> None:
        """Run `work(feed)` on a thread, which ends soon after `close`."""
        threading.Thread(target=self._run, args=(work,), name="stream", daemon=True).start()

    def put(self, item: Any) -> None:
        """Wait for room. Raises StreamClosedError."""
        self._put("item", item)

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
    def breakable(self, break_off: Callable[[], object]) -> Iterator[None]:
        """Around a statement that `break_off()` ends from another thread, if the feed is closed meanwhile."""
        with self._lock:
            self._break_off = break_off
        try:
            yield
        finally:
            with self._lock:
                self._break_off = None

    def close(self) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._closed.set()
                if self._break_off:
                    self._break_off()

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


def open_feed(
    work: Callable[[Feed], None],
    read_texts: ReadItem = lambda item, _: item,
    read_typed: ReadItem | None = None,
) -> Stream:
    """A stream of what `work(feed)` puts: a Header, then items that are read as `Stream` says."""
    feed = Feed()
    feed.start(work)
    try:
        header = next(feed)
    except BaseException:
        feed.close()
        raise
    return Stream(header, feed, feed.close, read_texts, read_typed)


def batch_of(columns: Iterable[Iterable[bytes | str | None]]) -> pa.RecordBatch:
    """A batch of columns of texts; bytes that are not UTF-8 are replaced."""
    import pyarrow as pa

    arrays = []
    for column in columns:
        texts = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in column]
        arrays.append(pa.array(texts, pa.string()))
    return pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])


def without_null(cell: bytes) -> bytes | None:
    """JSON of a value, or None for its null."""
    return None if cell == b"null" else cell
