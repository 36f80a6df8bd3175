"""One pass over all bytes of a text table, before it is parsed: its encoding's traits, its quotes, where rows end.

Used by `sniff` and `formats/csv`. Two threads read a block each, by chunks that a processor's cache holds.
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
SAMPLE_BYTES = 1 << 16
"""Of lines that are no ASCII, for the detector."""

QUOTE = ord('"')


Masks = npt.NDArray[np.bool_]
"""For each byte whether it is meant."""


@dataclass
class Overview:
    """What the bytes of a file are, at its end."""

    utf8: bool = True
    nul: bool = False
    """Is there a NUL byte?"""
    odd_lines: bytes = b""
    """Some lines that are no ASCII, of a file that is no UTF-8."""
    quotes: int = 0
    long_lines: bool = False
    """May a line be longer than two chunks, or a quoted text of several lines?"""
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


def overview(source: Source, start: int, *, chunk: int = CHUNK, block: int = BLOCK_BYTES) -> Overview:
    """Look at all bytes from offset `start` on, where the text begins, in chunks and blocks of so many bytes (a chunk
    has at least four, as a character may)."""
    found = Overview(row_starts=[start])
    end = start
    size = -(-block // chunk) * chunk
    for look in in_order(partial(_look, size=chunk), source.pieces(start, size)):
        _merge(found, look)
        end += look.size
        if end - found.row_starts[-1] >= block and (rest := _after_rows(look, found.quotes)) is not None:
            found.row_starts.append(end - rest)
    if found.row_starts[-1] < end:
        found.row_starts.append(end)
    return found


@dataclass
class _Look:
    """What the bytes of a piece are. Of pairs the first holds if it begins outside quotes, the second if within."""

    piece: Piece
    size: int = 0
    utf8: bool = True
    nul: bool = False
    quotes: int = 0
    beside: Masks = field(default_factory=lambda: np.zeros((2, 256), np.bool_))
    """Bytes before quotes that open a text and after those that close one."""
    within: list[bool] = field(default_factory=lambda: [False, False])
    """Is a whole chunk within quotes?"""
    lineless: bool = False
    """Is there a chunk, but for the file's last, in which no line ends?"""
    odd_lines: bytes = b""
    last: bytes = b""
    """The last chunk."""


def _look(piece: Piece, size: int) -> _Look:
    """Read a piece, `size` bytes at a time."""
    look = _Look(piece)
    begun, before = _begun(piece.before), piece.before[-1:] or b"\n"
    with piece.open() as stream:
        chunk = stream.read(size)
        while chunk:
            following = stream.read(size)
            after = following[:1] or piece.after
            rest = _begun(chunk) if after else b""
            _look_at(look, chunk, before, after or b"\n")
            ascii_only = not begun and int(np.frombuffer(chunk, np.uint8).max()) < 0x80  # faster than isascii
            look.utf8 = look.utf8 and (ascii_only or _is_utf8(begun + chunk[: len(chunk) - len(rest)]))
            if not look.utf8 and len(look.odd_lines) < SAMPLE_BYTES:
                look.odd_lines += b"\n".join(line for line in chunk.splitlines() if not line.isascii())
            full = len(chunk) == size
            look.lineless = look.lineless or (full and not (b"\n" in chunk or b"\r" in chunk))
            look.last, before, begun, chunk = chunk, chunk[-1:], rest, following
    return look


def _look_at(look: _Look, chunk: bytes, before: bytes, after: bytes) -> None:
    """Take in the quotes of the next chunk; what stands beside it counts as beside quotes at its ends."""
    held = np.frombuffer(chunk, np.uint8)
    look.size += len(chunk)
    look.nul = look.nul or b"\0" in chunk
    places = np.flatnonzero(held == QUOTE)
    odd = look.quotes % 2
    if not len(places):
        look.within[1 - odd] = True
        return
    bytes_before = held[places - 1]
    bytes_after = held[(places + 1) % len(held)]
    if places[0] == 0:
        bytes_before[0] = ord(before)
    if places[-1] == len(held) - 1:
        bytes_after[-1] = ord(after)
    for first in (0, 1):
        beside = np.concatenate((bytes_before[first::2], bytes_after[1 - first :: 2]))
        look.beside[first ^ odd] |= np.bincount(beside, minlength=256) > 0
    look.quotes += len(places)


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


def _merge(found: Overview, look: _Look) -> None:
    """Take in the next piece."""
    inside = found.quotes % 2
    found.long_lines = found.long_lines or look.lineless or look.within[inside]
    found.beside_quotes |= look.beside[inside]
    found.quotes += look.quotes
    found.nul = found.nul or look.nul
    found.utf8 = found.utf8 and look.utf8
    found.odd_lines = (found.odd_lines + look.odd_lines)[:SAMPLE_BYTES]


def _after_rows(look: _Look, quotes: int) -> int | None:
    """How many bytes of a piece, at the end of which so many quotes are passed, come after its last whole row; None
    where none ends in it."""
    if row_end := _last_row_end(look.last, quotes):
        return len(look.last) - row_end
    with look.piece.open() as stream:
        held = stream.read()
    row_end = _last_row_end(held, quotes)
    return len(held) - row_end if row_end else None


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
