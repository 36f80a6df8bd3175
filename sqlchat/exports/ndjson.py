"""Newline-delimited JSON: an object a line. A column's name that occurs again gets a number."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from sqlchat.connections.encoding import unique_names
from sqlchat.connections.streams import Stream
from sqlchat.exports.values import read_values


def write(stream: Stream, *, guards_formulas: bool = False) -> Iterator[bytes]:
    keys = [orjson.dumps(name) + b":" for name in unique_names(stream.header.columns)]
    between = [b"{" + keys[0], *(b"," + key for key in keys[1:]), b"}\n"]
    yield b""
    for values in read_values(stream):
        yield values.join_rows(values.starts, values.ends, between)
