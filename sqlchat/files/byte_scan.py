"""Scans all bytes of a text table before it is parsed, for its encoding, its quotes and the ends of its rows."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from sqlchat.files.formats import BLOCK_BYTES
from sqlchat.files.source import Source

SAMPLE_BYTES = 1 << 16
"""Bytes of lines that are no ASCII, for the detector of encodings."""
PIECE_BYTES = 1 << 20
"""Bytes that are scanned at a time; they fit into the processor's caches."""
QUOTE = ord('"')


@dataclass
class ByteScan:
    """Facts of all bytes of a file."""

    utf8: bool = True
    nul: bool = False
    """Is there a NUL byte?"""
    odd_lines: bytes = b""
    """Some lines with other characters than ASCII, if the file is no UTF-8."""
    quotes: int = 0
    row_starts: list[int] = field(default_factory=lambda: [0])
    """Offsets of rows, about a block apart, valid if `quotes_enclose`; the last is the file's end."""
    beside_quotes: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(256, np.bool_))
    """For each byte: does it stand before an opening quote or after a closing quote?"""

    padded: set[str] = field(default_factory=set)
    """Columns with texts between blanks; complete when all rows were read."""

    def quotes_enclose(self, delimiter: str) -> bool:
        """Is exactly the text after an odd number of quotes within quotes?

        This holds if each quote of odd number, which opens a text, follows a delimiter, the end of a row or a quote,
        and one of these follows each quote of even number. Then counting quotes finds the ends of rows.
        """
        allowed = np.zeros(256, np.bool_)
        allowed[[*delimiter.encode(), *b'\r\n"']] = True
        return self.quotes % 2 == 0 and not (self.beside_quotes & ~allowed).any()

    @classmethod
    def of_dict(cls, content: dict[str, Any]) -> ByteScan:
        beside = np.isin(np.arange(256), content["beside_quotes"])
        return cls(**content | {"odd_lines": b"", "beside_quotes": beside, "padded": set(content["padded"])})


def scan_bytes(source: Source, start: int, *, block: int = BLOCK_BYTES) -> ByteScan:
    """Scan all bytes from offset `start` on, where the text begins."""
    scan, end, before = ByteScan(row_starts=[start]), start, b"\n"  # start and end of a file count as ends of lines
    decoder = codecs.getincrementaldecoder("utf-8")()
    with source.open() as file:
        stream = cast(io.BufferedReader, file)
        stream.seek(start)
        while content := stream.read(min(block, PIECE_BYTES)):
            after = stream.peek(1)[:1]
            end += len(content)
            try:
                if decoder.getstate()[0] or not content.isascii():
                    decoder.decode(content, final=not after)
            except UnicodeDecodeError:
                scan.utf8 = False
                decoder.reset()
                odd_lines = b"\n".join(line for line in content.splitlines() if not line.isascii())
                scan.odd_lines = (scan.odd_lines + odd_lines)[:SAMPLE_BYTES]
            scan.nul = scan.nul or b"\0" in content
            if end - scan.row_starts[-1] >= block and (row_end := _find_last_row_end(content, scan.quotes)):
                scan.row_starts.append(end - len(content) + row_end)
            if QUOTE in content:
                around = np.frombuffer(before + content + (after or b"\n"), np.uint8)
                quotes = np.flatnonzero(around[1:-1] == QUOTE) + 1
                opening, closing = quotes[scan.quotes % 2 :: 2], quotes[1 - scan.quotes % 2 :: 2]
                beside = np.concatenate((around[opening - 1], around[closing + 1]))
                scan.beside_quotes |= np.bincount(beside, minlength=256) > 0
                scan.quotes += len(quotes)
            before = content[-1:]
    if scan.row_starts[-1] < end:
        scan.row_starts.append(end)
    return scan


def _find_last_row_end(chunk: bytes, quotes_before: int) -> int:
    """Find the end of the chunk's last row, which is outside quotes; 0 if no row ends."""
    feed, end = (b"\n", len(chunk)) if b"\n" in chunk else (b"\r", len(chunk) - 1)  # its \n may come next
    characters = np.frombuffer(chunk[:end], np.uint8)
    line_ends = np.flatnonzero(characters == feed[0])
    before = quotes_before + np.searchsorted(np.flatnonzero(characters == QUOTE), line_ends)
    row_ends = line_ends[before % 2 == 0]
    return int(row_ends[-1]) + 1 if len(row_ends) else 0
