"""Arrow's IPC stream."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from sqlchat.connections.streams import Stream
from sqlchat.exports.sink import Sink
from sqlchat.exports.typed import make_schema, read_batches


def write(stream: Stream, *, guards_formulas: bool = False) -> Iterator[bytes]:
    schema, sink = make_schema(stream.header), Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in read_batches(stream, schema):
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()
