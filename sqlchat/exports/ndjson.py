"""Newline-delimited JSON: an object a line. A column's name that occurs again gets a number."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from sqlchat.connections.encoding import unique_names
from sqlchat.connections.streams import Stream
from sqlchat.exports.texts import as_json, join


def write(stream: Stream, *, guards_formulas: bool = False) -> Iterator[bytes]:
    header = stream.header
    keys = [orjson.dumps(name).decode() for name in unique_names(header.columns)]
    yield b""
    for batch in stream:
        pieces = []
        for index, key in enumerate(keys):
            pieces += [f"{',' if index else '{'}{key}:", *as_json(batch.column(index), header.is_json[index])]
        yield join([*pieces, "}\n"], null="null")
