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

BLOCK = 1 << 18
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
    """What is known of a result before its first row."""

    columns: tuple[str, ...]
    """Names in order; a name may occur twice."""
    types: tuple[str, ...]
    """The database's type of each column; "" where it does not say."""
    arrow: tuple[pa.DataType, ...]
    """The type of each column in Arrow and Parquet."""
    is_json: tuple[bool, ...]
    """Whether a column's texts are JSON (`1.50`, `"NaN"`, `[1, 2]`); else they are strings without quotes."""


class Stream:
    """Iterate it once for record batches of strings, a column each; null is null. Close it in any case.

    Iterating raises what `Connection.run` raises, and StreamClosedError once it is closed.
    """

    def __init__(
        self,
        header: Header,
        batches: Iterable[pa.RecordBatch],
        close: Callable[[], None],
        write_texts: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
    ) -> None:
        """`batches` have the header's Arrow types if `write_texts` is given, which makes strings of one."""
        self.header, self._batches, self._close = header, batches, close
        self._write_texts = write_texts
        self.row_count = 0
        """Rows that were handed out."""
        self.held: object = None
        """What must stay open as long as the stream is there."""

    @property
    def is_typed(self) -> bool:
        """Whether `typed_batches` has the rows without a way over strings."""
        return self._write_texts is not None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        write_texts = self._write_texts
        return self._count_rows() if write_texts is None else map(write_texts, self._count_rows())

    def typed_batches(self) -> Iterator[pa.RecordBatch]:
        """The batches as they came, in place of iterating. Of a stream that `is_typed` alone."""
        return self._count_rows()

    def wait_for_rows(self) -> None:
        """Wait for the first batch, so that what goes wrong before it is raised here."""
        batches = iter(self._batches)
        self._batches = itertools.chain(list(itertools.islice(batches, 1)), batches)

    def _count_rows(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
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
            with contextlib.suppress(queue.Empty):
                kind, item = self._items.get(timeout=LOOK)
                if kind == "fault":
                    raise item
                if kind == "end":
                    raise StopIteration
                return item
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
    parse: Callable[[Any, Header], pa.RecordBatch],
    write_texts: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
) -> Stream:
    """A stream of what `work(feed)` puts: a Header, then what `parse(item, header)` makes batches of.

    `write_texts` is as for `Stream`.
    """
    feed = Feed()
    feed.start(work)
    try:
        header = next(feed)
    except BaseException:
        feed.close()
        raise
    return Stream(header, (parse(item, header) for item in feed), feed.close, write_texts)


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
