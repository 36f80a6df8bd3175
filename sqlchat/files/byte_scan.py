"""Scans all bytes of a text table before it is parsed: is it UTF-8, where are its quotes, where do rows end.

Two threads scan a block each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlchat.files.formats import BLOCK_BYTES
from sqlchat.files.source import Piece, Source
from sqlchat.files.threads import in_order

CHUNK = 1 << 19
"""Bytes; a line or a quoted text that is longer makes `long_lines` true."""
SAMPLE_BYTES = 1 << 16
"""Of lines that are no ASCII, for the detector."""
QUOTE = ord('"')

Masks = npt.NDArray[np.bool_]
"""For each byte whether it is meant."""


@dataclass
class ByteScan:
    """Facts of all bytes of a file."""

    utf8: bool = True
    nul: bool = False
    """Is there a NUL byte?"""
    odd_lines: bytes = b""
    """Some lines that are no ASCII, of a file that is no UTF-8."""
    quotes: int = 0
    long_lines: bool = False
    """Is there a chunk without a line's end, or a quoted text longer than a chunk?"""
    row_starts: list[int] = field(default_factory=lambda: [0])
    """Offsets, a block or a little more apart, where a row begins if `quotes_enclose`; the last is the file's end."""
    beside_quotes: Masks = field(default_factory=lambda: np.zeros(256, np.bool_))
    """Is the byte anywhere before a quote of odd number or after one of even number?"""

    def quotes_enclose(self, delimiter: str) -> bool:
        """Is what stands after an odd number of quotes, and nothing else, within quotes?

        So it is where each quote of odd number, which would open a text, follows a delimiter, the end of a row or a
        quote, and each of even number comes before one: then a reader that knows a quote only where a field begins
        and one that counts them agree.
        """
        allowed = np.zeros(256, np.bool_)
        allowed[[*delimiter.encode(), *b'\r\n"']] = True
        return self.quotes % 2 == 0 and not (self.beside_quotes & ~allowed).any()


def scan_bytes(source: Source, start: int, *, chunk: int = CHUNK, block: int = BLOCK_BYTES) -> ByteScan:
    """Scan all bytes from offset `start` on, where the text begins. A chunk has four bytes or more."""
    scan, end = ByteScan(row_starts=[start]), start
    pieces = source.pieces(start, -(-block // chunk) * chunk)
    for part in in_order(partial(_scan_piece, chunk=chunk), pieces):
        inside = scan.quotes % 2
        end += part.size
        scan.long_lines = scan.long_lines or part.long_line or part.long_quote[inside]
        scan.beside_quotes |= part.beside[inside]
        scan.quotes += part.quotes
        scan.nul = scan.nul or part.nul
        scan.utf8 = scan.utf8 and part.utf8
        scan.odd_lines = (scan.odd_lines + part.odd_lines)[:SAMPLE_BYTES]
        if end - scan.row_starts[-1] >= block and part.row_end[inside]:
            scan.row_starts.append(end - part.size + part.row_end[inside])
    if scan.row_starts[-1] < end:
        scan.row_starts.append(end)
    return scan


@dataclass(frozen=True)
class _PieceScan:
    """Facts of a piece. Of pairs the first holds if it begins outside quotes, the second if within."""

    size: int
    utf8: bool
    nul: bool
    odd_lines: bytes
    quotes: int
    beside: Masks
    """Bytes before quotes that open a text and after those that close one, two rows."""
    long_line: bool
    long_quote: tuple[bool, bool]
    row_end: tuple[int, int]
    """Where the last whole row ends; 0: none does."""


def _scan_piece(piece: Piece, chunk: int) -> _PieceScan:
    with piece.open() as stream:
        content = stream.read()
    held = np.frombuffer(content, np.uint8)
    begun = _begun(piece.before)
    unfinished = len(_begun(content)) if piece.after else 0
    ascii_only = not begun and int(held.max()) < 0x80  # faster than isascii
    utf8 = ascii_only or _is_utf8(begun + content[: len(content) - unfinished])
    odd_lines = b"" if utf8 else b"\n".join(line for line in content.splitlines() if not line.isascii())
    places = np.flatnonzero(held == QUOTE)
    gaps = np.diff(np.concatenate(([0], places, [len(held)])))
    full_chunks = (content[begin : begin + chunk] for begin in range(0, len(content) - chunk + 1, chunk))
    return _PieceScan(
        len(content),
        utf8,
        b"\0" in content,
        odd_lines[:SAMPLE_BYTES],
        len(places),
        _find_beside(held, places, piece),
        not all(b"\n" in each or b"\r" in each for each in full_chunks),
        (bool((gaps[1::2] >= chunk).any()), bool((gaps[::2] >= chunk).any())),
        (_last_row_end(content, len(places)), _last_row_end(content, len(places) + 1)),
    )


def _find_beside(held: npt.NDArray[np.uint8], places: npt.NDArray[np.intp], piece: Piece) -> Masks:
    """Bytes beside the quotes at those places. The ends of a file count as ends of lines."""
    before, after = held[places - 1], held[(places + 1) % len(held)]
    if len(places) and places[0] == 0:
        before[0] = ord(piece.before[-1:] or b"\n")
    if len(places) and places[-1] == len(held) - 1:
        after[-1] = ord(piece.after or b"\n")
    beside = (np.concatenate((before[first::2], after[1 - first :: 2])) for first in (0, 1))
    return np.stack([np.bincount(each, minlength=256) > 0 for each in beside])


def _begun(chunk: bytes) -> bytes:
    """The first bytes of a UTF-8 character that the chunk, of four bytes at least or none, ends within."""
    for length in (1, 2, 3) if chunk else ():
        lead = chunk[-length]
        if lead >= 0xC0:
            whole = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            return chunk[-length:] if length < whole else b""
        if lead < 0x80:
            break
    return b""


def _is_utf8(text: bytes) -> bool:
    """As Arrow sees it, which lets other threads run meanwhile."""
    offsets = pa.py_buffer(np.array([0, len(text)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _last_row_end(chunk: bytes, quotes: int) -> int:
    """Where the last row of the chunk ends, at the end of which so many quotes are passed; 0 where none does."""
    feed, end = (b"\n", len(chunk)) if b"\n" in chunk else (b"\r", len(chunk) - 1)  # its \n may come next
    quotes -= chunk.count(b'"', end)
    while True:
        line_end = chunk.rfind(feed, 0, end) + 1
        quotes -= chunk.count(b'"', line_end, end)
        if quotes % 2 == 0 or not line_end:
            return line_end
        end = chunk.rfind(b'"', 0, line_end)
        if end < 0:
            return 0
        quotes -= 1
