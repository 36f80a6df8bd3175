"""Parquet, in row groups that fit into little memory."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from sqlchat.connections.streams import Stream
from sqlchat.exports.sink import Sink
from sqlchat.exports.typed import make_schema, read_batches

GROUP_ROWS, GROUP_BYTES = 1 << 15, 1 << 22
"""A row group is written once it has so many rows, or bytes in memory."""


def write(stream: Stream, *, guards_formulas: bool = False) -> Iterator[bytes]:
    schema, sink = make_schema(stream.header), Sink()
    file = pa.PythonFile(sink, "w")
    # Dictionaries take most of the time, and save less than this compression does. Decimals of up to 18 digits are
    # integers in Parquet, which is smaller and quicker.
    with pq.ParquetWriter(
        file, schema, compression="zstd", use_dictionary=False, store_decimal_as_integer=True
    ) as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in read_batches(stream, schema):
            waiting.append(batch)
            if sum(b.num_rows for b in waiting) >= GROUP_ROWS or sum(b.nbytes for b in waiting) >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting.clear()
            yield sink.take()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema))
    yield sink.take()
