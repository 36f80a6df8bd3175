"""Counts the distinct values of a column: exactly if they are few, else by an estimate.

The K-minimum-values sketch (Bar-Yossef et al., 2002) keeps the k least 64-bit hashes. If it keeps fewer than k,
their number is the exact count; else the k-th hash shows how dense the hashes are. The `hash_` functions leave out
hashes above a `ceiling`, which the sketch would not keep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]

LONG = 1024
"""Bytes; a longer text is hashed alone instead of eight bytes at a time with its neighbours."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
EVERYTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
EXACT_DOUBLE = np.int64(1 << 53)
"""Integers up to this are doubles too."""

STRETCH = 1 << 14
"""Values hashed at a time; they and the intermediate arrays fit into a processor's cache."""

KEPT = np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)
"""Number of bytes left in a text -> mask for the eight bytes that were read (little-endian)."""

OUTER_BLANKS = np.isin(np.arange(256), [*range(ord(" ") + 1), 0xC2, 0xE3, 0xA0])
"""For each byte: may it begin or end a blank? The last three are those of no-break and ideographic spaces."""

PLACES = (np.arange(LONG // 8, dtype=np.uint64) * GOLDEN * MIX_1 ^ MIX_2) | np.uint64(1)
"""An odd factor for each place in a text."""


class Sketch:
    """Keeps the `size` least hashes; the relative standard error of an estimate is about 1/sqrt(size)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._least: Hashes = np.empty(0, np.uint64)

    @property
    def ceiling(self) -> np.uint64:
        """Hashes above this cannot change the sketch any more."""
        return self._least[-1] if len(self._least) == self.size else EVERYTHING

    def add(self, hashes: Hashes) -> None:
        """Merge hashes that `least` returned."""
        hashes = hashes[hashes <= self.ceiling]
        if len(hashes):
            self._least = _sort_distinct(np.concatenate((self._least, hashes)), "stable")[: self.size]

    @property
    def exact(self) -> bool:
        return len(self._least) < self.size

    def count(self) -> int:
        if self.exact:
            return len(self._least)
        return round((self.size - 1) / (float(self._least[-1]) / 2**64))


def least(hashes: Hashes, size: int, ceiling: np.uint64) -> Hashes:
    """Return the hashes that a sketch of that size needs; no hash may be above `ceiling`."""
    if len(hashes) > 4 * size:
        # as they lie evenly, the least part holds enough of them, unless many are the same
        part = _sort_distinct(hashes[hashes <= np.uint64(float(ceiling) * 2 * size / len(hashes))])
        if len(part) >= size:
            return part[:size]
    return _sort_distinct(hashes)[:size]


def hash_reals(numbers: pa.Array, ceiling: np.uint64 = EVERYTHING) -> Hashes:
    """Hash an Arrow array of integers or floats so that equal numbers hash alike, whichever of both they are."""
    if pa.types.is_floating(numbers.type):
        floats = numbers.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return _hash_words((floats + 0.0).view(np.uint64), ceiling)  # -0.0 becomes 0.0
    integers = numbers.cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False)
    words = integers.astype(np.float64).view(np.uint64)
    if len(integers) and (integers.max() > EXACT_DOUBLE or integers.min() < -EXACT_DOUBLE):
        exact = (integers <= EXACT_DOUBLE) & (integers >= -EXACT_DOUBLE)
        words = np.where(exact, words, (integers ^ EXACT_DOUBLE).view(np.uint64))
    return _hash_words(words, ceiling)


def hash_moments(moments: pa.Array, ceiling: np.uint64 = EVERYTHING) -> Hashes:
    """Hash an Arrow array of dates or timestamps; one in nanoseconds like the same one in microseconds."""
    if pa.types.is_date(moments.type):
        moments = moments.cast(pa.timestamp("ms")).cast(pa.timestamp("us"))
    ticks = moments.cast(pa.int64()).to_numpy(zero_copy_only=False)
    if pa.types.is_timestamp(moments.type) and moments.type.unit == "ns":
        micros, rest = np.divmod(ticks, 1000)
        ticks = np.where(rest == 0, micros, ticks ^ EXACT_DOUBLE)
    return _hash_words(ticks.view(np.uint64), ceiling)


def hash_texts(texts: pa.Array, ceiling: np.uint64 = EVERYTHING) -> Hashes:
    """Hash an Arrow string array without nulls: a sum of its eight-byte words, each mixed and times a number of its
    place (multilinear hashing, Carter and Wegman, 1979)."""
    starts, data = find_text_buffers(texts)
    padded = np.concatenate((data, np.zeros(8, np.uint8)))
    words = np.lib.stride_tricks.as_strided(padded[:8].view(np.uint64), (len(data) + 1,), (1,))

    def hash_stretch(begin: int) -> Hashes:
        offsets = starts[begin : begin + STRETCH + 1]
        hashes = _finish(_sum_words(offsets, words))
        for row in np.flatnonzero(np.diff(offsets) > LONG):
            digest = hashlib.blake2b(data[offsets[row] : offsets[row + 1]].tobytes(), digest_size=8).digest()
            hashes[row] = np.frombuffer(digest, np.uint64)[0]
        return hashes

    return _hash_stretches(hash_stretch, len(texts), ceiling)


def _hash_words(words: Hashes, ceiling: np.uint64) -> Hashes:
    """Hash values of eight bytes."""
    return _hash_stretches(lambda begin: _finish(words[begin : begin + STRETCH] + GOLDEN), len(words), ceiling)


def _hash_stretches(hash_from: Callable[[int], Hashes], count: int, ceiling: np.uint64) -> Hashes:
    """Hash `count` values by stretches, and leave out hashes above the ceiling. `hash_from` takes the first index."""
    stretches = (hash_from(begin) for begin in range(0, count, STRETCH))
    hashes = [stretch if ceiling == EVERYTHING else stretch[stretch <= ceiling] for stretch in stretches]
    return np.concatenate(hashes) if hashes else np.empty(0, np.uint64)


def _sum_words(starts: npt.NDArray[np.int64], words: Hashes) -> Hashes:
    """Sum the words of the texts that start at these offsets. `words[i]` holds the eight bytes from byte i on."""
    lengths, starts = np.diff(starts), starts[:-1]
    hashes = lengths.astype(np.uint64) * GOLDEN
    shortest, longest = lengths.min(), min(LONG, lengths.max())
    rows: npt.NDArray[np.int64] | None = None
    for place, position in enumerate(range(0, longest, 8)):
        if rows is None and position > 0 and shortest <= position:
            rows = np.flatnonzero(lengths > position)
        elif rows is not None:
            rows = rows[lengths[rows] > position]
        left = (lengths if rows is None else lengths[rows]) - position
        word = words[(starts if rows is None else starts[rows]) + position]
        if shortest < position + 8:
            word &= KEPT[np.minimum(left, 8)]
        word ^= word >> np.uint64(32)
        word *= PLACES[place]
        if rows is None:
            hashes += word
        else:
            hashes[rows] += word
    return hashes


def find_filled(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Return for each text of an Arrow string array without nulls if it is not empty."""
    lengths: npt.NDArray[np.integer] = np.diff(_find_offsets(texts))
    return lengths.astype(np.bool_)


def list_outer_bytes(texts: pa.Array) -> npt.NDArray[np.uint8]:
    """List the first bytes of all filled texts of an Arrow string array without nulls, then their last bytes.

    The list is empty if all bytes are digits or signs before `=`: then there are neither blanks nor formulas.
    """
    starts, data = find_text_buffers(texts)
    if not len(data) or (data.min() > ord(" ") and data.max() < ord("=")):
        return data[:0]
    filled = starts[1:] > starts[:-1]
    return data[np.concatenate((starts[:-1][filled], starts[1:][filled] - 1))]


def has_outer_blanks(texts: pa.Array) -> bool:
    """Does a text of an Arrow string array without nulls begin or end with an ASCII blank, or a no-break space?"""
    return has_blank(list_outer_bytes(texts))


def has_blank(outer: npt.NDArray[np.uint8]) -> bool:
    """Is one of these bytes an ASCII blank, or an outer byte of a no-break or ideographic space?"""
    return bool(OUTER_BLANKS[outer].any())


def find_text_buffers(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return offsets (one more than texts, from 0) and bytes of an Arrow string array without nulls."""
    starts, data = _find_offsets(texts).astype(np.int64), texts.buffers()[2]
    all_bytes = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return starts - starts[0], all_bytes[starts[0] : starts[-1]]


def _find_offsets(texts: pa.Array) -> npt.NDArray[np.int32 | np.int64]:
    """Return the offset of each text in the array's bytes, and the end of the last one."""
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    if not len(texts):
        return np.zeros(1, width)
    return np.frombuffer(texts.buffers()[1], width, len(texts) + 1, texts.offset * np.dtype(width).itemsize)


def _sort_distinct(hashes: Hashes, kind: Literal["quicksort", "stable"] = "quicksort") -> Hashes:
    """Sort hashes and drop repeated ones; NumPy's `unique` is slower if most differ."""
    ordered = np.sort(hashes, kind=kind)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered


def _finish(hashes: Hashes) -> Hashes:
    """SplitMix64's last steps (Steele et al., 2014), in place: every bit in depends on every bit out."""
    shifted = hashes >> np.uint64(30)
    hashes ^= shifted
    hashes *= MIX_1
    np.right_shift(hashes, np.uint64(27), out=shifted)
    hashes ^= shifted
    hashes *= MIX_2
    np.right_shift(hashes, np.uint64(31), out=shifted)
    hashes ^= shifted
    return hashes
