"""One pass over all bytes of a text table, before it is parsed: its encoding's traits, its quotes, where rows end.

Used by `sniff` and `formats/csv`. Chunks are looked at in two threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlchat.files.formats import BLOCK_BYTES
from sqlchat.files.source import Source
from sqlchat.files.threads import in_order

CHUNK = 1 << 19
SAMPLE_BYTES = 1 << 16
"""Of lines that are no ASCII, for the detector."""

QUOTE = ord('"')


Mask = npt.NDArray[np.bool_]
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
    beside_quotes: Mask = field(default_factory=lambda: np.zeros(256, np.bool_))
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
    for look in in_order(_look, _chunks(source, start, chunk)):
        _merge(found, look, full=len(look.chunk) == chunk)
        far = end + len(look.chunk) - found.row_starts[-1] >= block
        if far and (row_end := _last_row_end(look.chunk, found.quotes)):
            found.row_starts.append(end + row_end)
        end += len(look.chunk)
    if found.row_starts[-1] < end:
        found.row_starts.append(end)
    return found


@dataclass(frozen=True)
class _Chunk:
    """Bytes, and what is beside them: one byte each, at the file's ends that of a row's end."""

    held: bytes
    before: bytes
    after: bytes
    begun: bytes
    """A character's first bytes, which the chunk before ends with."""
    rest: bytes
    """A character's first bytes, which this chunk ends with."""


@dataclass(frozen=True)
class _Look:
    chunk: bytes
    utf8: bool
    nul: bool
    quotes: int
    beside: tuple[Mask, Mask]
    """Bytes beside quotes: where the first opens a text, and where it closes one."""


def _chunks(source: Source, start: int, size: int) -> Iterator[_Chunk]:
    before = b"\n"
    begun = b""
    with source.open() as stream:
        stream.read(start)
        chunk = stream.read(size)
        while chunk:
            following = stream.read(size)
            rest = _begun(chunk) if following else b""
            yield _Chunk(chunk, before, following[:1] or b"\n", begun, rest)
            before, begun, chunk = chunk[-1:], rest, following


def _begun(chunk: bytes) -> bytes:
    """The first bytes of a UTF-8 character that the chunk ends within."""
    for length in (1, 2, 3):
        lead = chunk[-length]
        if lead >= 0xC0:
            whole = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            return chunk[-length:] if length < whole else b""
        if lead < 0x80 or length == len(chunk):
            break
    return b""


def _look(chunk: _Chunk) -> _Look:
    held = np.frombuffer(chunk.held, np.uint8)
    places = np.flatnonzero(held == QUOTE)
    beside = np.zeros((2, 256), np.bool_)
    if len(places):
        before = held[places - 1]
        after = held[(places + 1) % len(held)]
        if places[0] == 0:
            before[0] = ord(chunk.before)
        if places[-1] == len(held) - 1:
            after[-1] = ord(chunk.after)
        for first in (0, 1):
            beside[first][before[first::2]] = True
            beside[first][after[1 - first :: 2]] = True
    ascii_only = int(held.max()) < 0x80 and not chunk.begun
    return _Look(
        chunk.held,
        ascii_only or _is_utf8(chunk.begun + chunk.held[: len(chunk.held) - len(chunk.rest)]),
        int(held.min()) == 0,
        len(places),
        (beside[0], beside[1]),
    )


def _is_utf8(text: bytes) -> bool:
    """As Arrow sees it, which lets other threads run meanwhile."""
    offsets = pa.py_buffer(np.array([0, len(text)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _merge(found: Overview, look: _Look, *, full: bool) -> None:
    """Take in the next chunk; the last one may not be `full`."""
    within = found.quotes % 2 == 1 and not look.quotes
    lineless = full and not (b"\n" in look.chunk or b"\r" in look.chunk)
    found.long_lines = found.long_lines or within or lineless
    found.beside_quotes |= look.beside[found.quotes % 2]
    found.quotes += look.quotes
    found.nul = found.nul or look.nul
    found.utf8 = found.utf8 and look.utf8
    if not found.utf8 and len(found.odd_lines) < SAMPLE_BYTES:
        odd = b"\n".join(line for line in look.chunk.splitlines() if not line.isascii())
        found.odd_lines = (found.odd_lines + odd)[:SAMPLE_BYTES]


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
