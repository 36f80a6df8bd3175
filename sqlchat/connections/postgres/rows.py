"""Takes the rows of a COPY from the driver, in lines of CSV that are nearly JSON, and passes them on in batches."""

from __future__ import annotations

import contextlib
import io
import pickle
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions

from sqlchat.connections.postgres.statement import PORTAL
from sqlchat.connections.results import BLOCK, FLUSH
from sqlchat.connections.servers import deadlines
from sqlchat.connections.servers.connection import write_comment
from sqlchat.connections.streams import StreamClosedError

if TYPE_CHECKING:
    import pyarrow as pa

FETCHED_AT_ONCE = 100


class CsvLines:
    """Puts lines of CSV in lists, for a sink that counts them. It takes no time for each value, and little a line."""

    def __init__(self, put: Callable[[list[bytes]], None]) -> None:
        self._put, self._size = put, 0
        self._lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line)
        if self._size > BLOCK:
            self._flush()

    def _flush(self) -> None:
        self._put(self._lines)
        self._lines, self._size = [], 0

    def __enter__(self) -> CsvLines:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is None and self._lines:
            self._flush()


class CsvBlocks(io.RawIOBase):
    """Puts what is written into it."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self.put = put

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self.put(bytes(block))
        return len(block)


@contextlib.contextmanager
def open_csv_blocks(put: Callable[[bytes], None]) -> Iterator[io.BufferedWriter[Any]]:
    """Yield a file for lines of CSV, which puts them in blocks of whole lines, for a stream.

    The driver writes each line into a buffer that runs no Python code until it is full. A thread empties it every
    FLUSH seconds, so the rows of a slow query need not wait for more rows.
    """
    blocks, ended = CsvBlocks(put), threading.Event()
    file = io.BufferedWriter(blocks, BLOCK)

    def flush_regularly() -> None:
        with contextlib.suppress(StreamClosedError, ValueError):  # which the driver's thread finds as well
            while not ended.wait(FLUSH):
                file.flush()

    threading.Thread(target=flush_regularly, name="stream", daemon=True).start()
    try:
        yield file
    except BaseException:
        blocks.put = lambda _: None  # nobody wants the rest
        raise
    finally:
        ended.set()
        file.close()


def fetch_rows(cursor: psycopg2.extensions.cursor, count: int, tag: str) -> Iterator[tuple[str | None, ...]]:
    """Fetch up to `count` rows from the portal."""
    while count > 0:
        cursor.execute(f"FETCH {min(FETCHED_AT_ONCE, count)} FROM {PORTAL}{write_comment(tag)}")
        fetched = cursor.fetchall()
        if not fetched:
            return
        yield from fetched
        count -= len(fetched)


def read_typed(block: bytes, schema: pa.Schema) -> pa.RecordBatch | None:
    """Return a block of CsvBlocks as a batch of the schema's types; None if a value does not fit its type."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(number) for number in range(len(schema))]
    text = block if block.isascii() else block.decode(errors="replace").encode()
    with contextlib.suppress(pa.ArrowException):
        return arrow_csv.open_csv(
            pa.py_buffer(text),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            arrow_csv.ParseOptions(
                double_quote=False, escape_char="\\", newlines_in_values=True, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(
                column_types=dict(zip(names, schema.types, strict=True)),
                null_values=["null"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        ).read_next_batch()
    return None


@contextlib.contextmanager
def hold_back(
    put: Callable[[Any], None], until_confirmed: Callable[[], None], renew: Callable[[], None]
) -> Iterator[Callable[[Any], None]]:
    """Keep batches on disk, and put them after `until_confirmed` has raised nothing; `renew()` after each one."""
    with tempfile.TemporaryFile(prefix="sqlchat-stream-") as file:
        count = 0

        def keep(batch: Any) -> None:
            nonlocal count
            pickle.dump(batch, file)
            count += 1
            renew()

        yield keep
        until_confirmed()
        file.seek(0)
        for _ in range(count):
            put(pickle.load(file))  # noqa: S301 - written above


def hang_up(raw: psycopg2.extensions.connection) -> None:
    """Close the connection from our side, even if a thread waits for an answer."""
    with contextlib.suppress(psycopg2.Error):
        deadlines.hang_up(raw.fileno())
