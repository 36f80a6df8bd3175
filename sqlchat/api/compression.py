"""Chooses the content coding of a streamed answer, and compresses it piece by piece."""

from __future__ import annotations

import zlib
from typing import Any, Protocol

from flask import request

from sqlchat.exports.sink import Sink

GZIP = 16 + zlib.MAX_WBITS
GZIP_LEVEL = 4
CODINGS = ("zstd", "gzip")
"""The preferred one first."""


class Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class Zstd:
    def __init__(self) -> None:
        import pyarrow as pa

        self._sink = Sink()
        self._file: Any = pa.CompressedOutputStream(pa.PythonFile(self._sink, "w"), "zstd")

    def compress(self, data: bytes, /) -> bytes:
        self._file.write(data)
        return self._sink.take()

    def flush(self) -> bytes:
        self._file.close()
        return self._sink.take()


def choose_coding() -> str | None:
    """Return the coding of ours that the request prefers; None if it names none of them."""
    qualities = {name.lower(): quality for name, quality in request.accept_encodings if quality > 0}
    accepted = [coding for coding in CODINGS if coding in qualities]
    return max(accepted, key=lambda coding: qualities[coding], default=None)


def make_compressor(coding: str) -> Compressor:
    return Zstd() if coding == "zstd" else zlib.compressobj(GZIP_LEVEL, wbits=GZIP)
