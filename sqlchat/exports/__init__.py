"""Whole results in formats that other tools read: one module a format, each with `write(stream, ...)`.

Texts and digits are those of JSON answers; Arrow and Parquet have types. Imports `connections`
(streams) and `errors`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlchat.connections.streams import Stream


@dataclass(frozen=True, slots=True)
class Format:
    media_type: str
    extension: str
    module: str
    parameters: str = ""
    """Parameters of the content type."""
    is_compressed: bool = False
    """Are its bytes compressed already?"""
    is_text_line: bool = False
    """Can a fault be reported in a line of its own?"""

    def write(self, stream: Stream, *, guards_formulas: bool = False) -> Iterator[bytes]:
        """Yield the bytes of the whole file. Raises the errors of the stream, and QueryError."""
        written: Iterator[bytes] = importlib.import_module(self.module).write(stream, guards_formulas=guards_formulas)
        return written


FORMATS = {
    each.media_type: each
    for each in (
        Format("text/csv", "csv", "sqlchat.exports.csv", parameters="; charset=utf-8; header=present"),
        Format("application/x-ndjson", "ndjson", "sqlchat.exports.ndjson", is_text_line=True),
        Format("application/vnd.apache.arrow.stream", "arrows", "sqlchat.exports.arrow"),
        Format("application/vnd.apache.parquet", "parquet", "sqlchat.exports.parquet", is_compressed=True),
    )
}


def load_formats() -> None:
    """Import the modules of all formats: before the fork, so that web processes share the memory of pyarrow."""
    for each in FORMATS.values():
        importlib.import_module(each.module)
