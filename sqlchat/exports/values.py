"""Finds the values in rows of JSON, a block at a time, and joins pieces of them to the bytes of a file.

The work for each value is done by numpy and Arrow. Python looks only at values with escapes, which are rare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from sqlchat.connections.streams import Stream

Places: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]

QUOTE, COMMA, LINE_END, ESCAPE = b'",\n\\'
BRACE, CASE = ord("{"), ord("{") ^ ord("[")
"""A brace, and the bit by which a square bracket differs from it."""
NULL = ord("n")
"""Only null begins with it."""
NOWHERE = np.empty(0, np.int32)
LEVELS = np.zeros(256, np.int8)
LEVELS[list(b"[{")], LEVELS[list(b"]}")] = 1, -1
ESCAPES = [orjson.dumps(chr(code))[1:-1] for code in range(32)]


class Values:
    """The values of a block of rows. Each row is JSON values with commas between them, and ends with a line end.

    Strings may hold control characters as they are, which are then escaped; no other line ends may be there.
    For example, `1,"a,b"` and `null,"c"` have the starts 0, 2, 8, 13 and the ends 1, 7, 12, 16.
    """

    def __init__(self, data: bytes, width: int) -> None:
        signs, ends, commas = _find_marks(data)
        if np.count_nonzero(signs < ord(" ")) > len(ends) // width:
            data = _escape(data, np.setdiff1d(np.flatnonzero(signs < ord(" ")), ends))
            signs, ends, commas = _find_marks(data)
        self.data, self.ends, self.width, self.rows = data, ends, width, len(ends) // width
        self.starts = np.zeros_like(ends)
        self.starts[1:] = ends[:-1] + 1
        self._commas = commas

    @cached_property
    def first(self) -> npt.NDArray[np.uint8]:
        """The first byte of each value."""
        return np.frombuffer(self.data, np.uint8)[self.starts]

    @cached_property
    def is_text(self) -> Any:
        return self.first == QUOTE

    @cached_property
    def is_null(self) -> Any:
        return self.first == NULL

    @cached_property
    def is_nested(self) -> Any:
        return self.first | CASE == BRACE

    @cached_property
    def is_escaped(self) -> Flags:
        """Does a value hold a backslash?"""
        data = np.frombuffer(self.data, np.uint8)
        return self._find_owners(np.flatnonzero(data == ESCAPE) if b"\\" in self.data else NOWHERE)

    @cached_property
    def holds_comma(self) -> Flags:
        return self._find_owners(self._commas)

    def _find_owners(self, places: npt.NDArray[Any]) -> Flags:
        """Return which values hold one of the places."""
        is_owner = np.zeros(len(self.ends), bool)
        is_owner[np.searchsorted(self.ends, places)] = True
        return is_owner

    def read(self, index: int) -> str:
        """Return the value at `index`: a string without quotes and escapes, or the JSON of any other value."""
        cell = self.data[self.starts[index] : self.ends[index]]
        if not self.is_text[index]:
            return cell.decode()
        try:
            return str(orjson.loads(cell))
        except orjson.JSONDecodeError:  # half of a surrogate pair
            return str(json.loads(cell)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def find_contents(self, *, strips: Flags) -> tuple[Places, Places]:
        """Return where the values start and end: without quotes if `strips`, and empty for null."""
        starts, ends = self.starts + strips, self.ends - strips
        return starts, np.where(self.is_null, starts, ends)

    def join(self, starts: Places, ends: Places, order: npt.NDArray[Any], pieces: Sequence[bytes]) -> Any:
        """Return Arrow's binary array of pieces in the given order.

        The number 2 * i in `order` means the data between starts[i] and ends[i], and 2 * len(starts) + k means
        pieces[k].
        """
        count = 2 * len(starts)
        bounds = np.empty(count + len(pieces) + 1, np.int32)
        bounds[0:count:2], bounds[1:count:2] = starts, ends
        bounds[count:] = np.cumsum([len(self.data), *map(len, pieces)])
        data = pa.py_buffer(self.data + b"".join(pieces))
        parts = pa.Array.from_buffers(pa.binary(), len(bounds) - 1, [None, pa.py_buffer(bounds), data])
        indices = pa.Array.from_buffers(pa.int32(), order.size, [None, pa.py_buffer(order.astype(np.int32))])
        return parts.take(indices)

    def join_rows(
        self, starts: Places, ends: Places, between: Sequence[bytes], instead: dict[int, bytes] | None = None
    ) -> bytes:
        """Return all rows: the texts of `between` before, between and after the values, and `instead` of some."""
        count, width = 2 * len(starts), self.width
        order = np.empty((self.rows, 2 * width + 1), np.int32)
        order[:, 0::2] = np.arange(count, count + width + 1, dtype=np.int32)
        chosen = np.arange(0, count, 2, dtype=np.int32)
        replaced = list((instead or {}).values())
        chosen[list(instead or ())] = np.arange(len(replaced)) + count + width + 1
        order[:, 1::2] = chosen.reshape(self.rows, width)
        _, offsets, texts = self.join(starts, ends, order.reshape(-1), [*between, *replaced]).buffers()
        size = int(np.frombuffer(offsets, np.int32)[order.size])
        return bytes(texts[:size])


def read_values(stream: Stream) -> Iterator[Values]:
    """Yield the values of each block of the stream."""
    for block in stream:
        yield count_rows(stream, Values(block, len(stream.header.columns)))


def count_rows(stream: Stream, values: Values) -> Values:
    stream.row_count += values.rows
    return values


def _find_marks(data: bytes) -> tuple[npt.NDArray[np.uint8], Places, Places]:
    """Return the bytes with all escaped quotes masked, where values end, and where commas within values are."""
    masked = data.replace(b"\\\\", b"..").replace(b'\\"', b"..") if b"\\" in data else data
    signs = np.frombuffer(masked, np.uint8)
    is_mark = (signs == QUOTE) | (signs == COMMA) | (signs == LINE_END)
    is_nested = b"[" in data or b"{" in data
    if is_nested:
        is_mark |= LEVELS[signs] != 0
    places = np.flatnonzero(is_mark).astype(np.int32)
    kinds = signs[places]
    is_quote = kinds == QUOTE
    is_end = (np.cumsum(is_quote, dtype=np.uint8) & 1 == 0) & ~is_quote
    if is_nested:
        levels = LEVELS[kinds] * is_end
        is_end &= (np.cumsum(levels, dtype=np.int32) == 0) & (levels == 0)
    ends = places[is_end]
    is_plain = len(ends) + np.count_nonzero(is_quote) == len(places)
    return signs, ends, NOWHERE if is_plain else places[~is_end & (kinds == COMMA)]


def _escape(data: bytes, places: npt.NDArray[Any]) -> bytes:
    pieces, last = [], 0
    for place in places.tolist():
        pieces += [data[last:place], ESCAPES[data[place]]]
        last = place + 1
    return b"".join([*pieces, data[last:]])
