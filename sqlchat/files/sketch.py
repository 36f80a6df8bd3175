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
        return np.unique(hashes[hashes <= ceiling] if ceiling != EVERYTHING else hashes)[: self._size]

    def add(self, hashes: Hashes) -> None:
        """Take in what `least` gave."""
        self._least = np.union1d(self._least, hashes)[: self._size]

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
    hashes = _finish(lengths.astype(np.uint64) + GOLDEN)
    rows, position = np.arange(len(lengths)), 0
    while position < min(LONG, int(lengths.max(initial=0))):
        if position:
            rows = rows[lengths[rows] > position]
        left = np.minimum(lengths[rows] - position, 8).astype(np.uint64)
        at = np.minimum(starts[rows] + position, len(data))
        kept = np.where(left > 0, EVERYTHING >> ((np.uint64(8) - np.maximum(left, 1)) * np.uint64(8)), np.uint64(0))
        hashes[rows] = _finish((hashes[rows] ^ (words[at] & kept)) * MIX_1 + GOLDEN)
        position += 8
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


def _finish(hashes: Hashes) -> Hashes:
    """SplitMix64's last steps (Steele et al., 2014): every bit in depends on every bit out."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * MIX_1
    hashes = (hashes ^ (hashes >> np.uint64(27))) * MIX_2
    return hashes ^ (hashes >> np.uint64(31))
