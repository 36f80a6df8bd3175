"""How many distinct values a column holds, exactly while they are few and estimated past that. Used by `columns`.

The K-minimum-values sketch (Bar-Yossef et al., 2002): keep the k least of all 64-bit hashes. Fewer than k kept means
that all were kept, so their number is the count; else the k-th one tells how densely the hashes lie.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]

LONG = 256
"""Bytes from which a text is hashed by itself instead of eight bytes at a time for the whole column."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
EVERYTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
KEPT = np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)
"""Of eight bytes read, those that belong to a text with so many left (the machine is little-endian)."""


class Sketch:
    """The `size` least hashes seen; relative standard error of an estimate about 1/sqrt(size)."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._least: Hashes = np.empty(0, np.uint64)

    @property
    def ceiling(self) -> np.uint64:
        """Hashes above this cannot change the sketch any more."""
        return self._least[-1] if len(self._least) == self._size else EVERYTHING

    def least(self, hashes: Hashes, ceiling: np.uint64) -> Hashes:
        """What of `hashes` matters to a sketch with that ceiling. Pure, so that threads may call it."""
        return _distinct(hashes[hashes <= ceiling] if ceiling != EVERYTHING else hashes)[: self._size]

    def add(self, hashes: Hashes) -> None:
        """Take in what `least` gave."""
        if len(hashes):
            self._least = _distinct(np.concatenate((self._least, hashes)))[: self._size]

    @property
    def exact(self) -> bool:
        return len(self._least) < self._size

    def count(self) -> int:
        if self.exact:
            return len(self._least)
        return round((self._size - 1) / (float(self._least[-1]) / 2**64))


def hash_numbers(values: npt.NDArray[np.generic]) -> Hashes:
    """Hash values of eight bytes each."""
    return _finish(np.ascontiguousarray(values).view(np.uint64) + GOLDEN)


def hash_texts(texts: pa.Array) -> Hashes:
    """Hash an Arrow string array without nulls, eight bytes of every text at a time."""
    starts, data = text_buffers(texts)
    lengths = np.diff(starts)
    padded = np.concatenate((data, np.zeros(8, np.uint8)))
    words = np.lib.stride_tricks.as_strided(padded[:8].view(np.uint64), (len(data) + 1,), (1,))
    hashes = _finish(lengths.astype(np.uint64) + (words[starts[:-1]] & KEPT[np.minimum(lengths, 8)]) * MIX_1)
    rows = np.arange(len(lengths)) if lengths.min(initial=0) > 8 else np.flatnonzero(lengths > 8)
    for position in range(8, min(LONG, int(lengths.max(initial=0))), 8):
        left = lengths[rows] - position
        if left.min() <= 0:
            rows = rows[left > 0]
            left = left[left > 0]
        word = words[starts[rows] + position] & KEPT[np.minimum(left, 8)]
        hashes[rows] = _finish((hashes[rows] ^ word) * MIX_1 + GOLDEN)
    for row in np.flatnonzero(lengths > LONG):
        digest = hashlib.blake2b(data[starts[row] : starts[row + 1]].tobytes(), digest_size=8).digest()
        hashes[row] = np.frombuffer(digest, np.uint64)[0]
    return hashes


def text_buffers(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Offsets (one more than texts, from 0) and bytes of an Arrow string array without nulls."""
    _, offsets, data = texts.buffers()
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    if not len(texts):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    starts = np.frombuffer(offsets, width, len(texts) + 1, texts.offset * np.dtype(width).itemsize).astype(np.int64)
    held = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return starts - starts[0], held[starts[0] : starts[-1]]


def _distinct(hashes: Hashes) -> Hashes:
    """Sorted, without repetition; NumPy's own `unique` is slower where most differ."""
    ordered = np.sort(hashes)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered


def _finish(hashes: Hashes) -> Hashes:
    """SplitMix64's last steps (Steele et al., 2014): every bit in depends on every bit out."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * MIX_1
    hashes = (hashes ^ (hashes >> np.uint64(27))) * MIX_2
    return hashes ^ (hashes >> np.uint64(31))
