"""Distinct counts: equal values hash alike, and what is let go early would not have been kept."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from sqlchat.files.sketch import EVERYTHING, STRETCH, Sketch, find_filled, hash_moments, hash_reals, hash_texts, least

COUNT = 3 * STRETCH + 17
ARRAYS = {
    "texts": (hash_texts, pa.array([f"customer number {n}" * (1 + n % 4) for n in range(COUNT)])),
    "a slice of texts": (hash_texts, pa.array([f"c{n}" for n in range(COUNT)]).slice(5)),
    "long texts": (hash_texts, pa.array(["x" * 300 + str(n) for n in range(STRETCH + 5)])),
    "integers": (hash_reals, pa.array(range(COUNT))),
    "integers that are no doubles": (hash_reals, pa.array(range((1 << 60), (1 << 60) + COUNT))),
    "floats": (hash_reals, pa.array([n / 7 for n in range(COUNT)])),
    "times": (hash_moments, pa.array(range(COUNT), pa.timestamp("us"))),
    "finer times": (hash_moments, pa.array(range(COUNT), pa.timestamp("ns"))),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_different_values_hash_differently(kind):
    hashed, array = ARRAYS[kind]
    assert len(np.unique(hashed(array))) == len(set(array.to_pylist()))


@pytest.mark.parametrize("kind", ARRAYS)
def test_hashes_above_a_ceiling_are_left_out_and_no_others(kind):
    hashed, array = ARRAYS[kind]
    ceiling = np.uint64(1 << 61)
    every = hashed(array)
    kept = np.sort(hashed(array, ceiling))
    assert 0 < len(kept) < len(every) / 4
    assert np.array_equal(kept, np.sort(every[every <= ceiling]))


def test_equal_values_of_different_types_hash_alike():
    assert hash_reals(pa.array([3, 0, -1])).tolist() == hash_reals(pa.array([3.0, -0.0, -1.0])).tolist()
    day = [datetime(2024, 2, 29)]
    microseconds = hash_moments(pa.array(day, pa.timestamp("us"))).tolist()
    assert hash_moments(pa.array(day, pa.timestamp("ns"))).tolist() == microseconds
    assert hash_moments(pa.array(day, pa.date32())).tolist() == microseconds


@pytest.mark.parametrize(("distinct", "exact"), [(1, True), (900, True), (1000, False), (60_000, False)])
def test_a_sketch_counts_exactly_while_it_holds_all(distinct, exact):
    sketch = Sketch(1000)
    values = np.random.default_rng(7).permutation(np.arange(200_000) % distinct)
    for block in np.array_split(values, 9):
        sketch.add(least(hash_reals(pa.array(block), sketch.ceiling), sketch.size, sketch.ceiling))
    assert sketch.exact is exact
    assert sketch.count() == (distinct if exact else pytest.approx(distinct, rel=0.15))


def test_blocks_seen_with_an_older_ceiling_change_nothing():
    """Threads know a ceiling that is a few blocks old."""
    one, other = Sketch(500), Sketch(500)
    for block in np.array_split(np.arange(50_000), 10):
        one.add(least(hash_reals(pa.array(block), one.ceiling), one.size, one.ceiling))
        other.add(least(hash_reals(pa.array(block)), other.size, EVERYTHING))
    assert one.count() == other.count()


def test_texts_that_are_filled():
    assert find_filled(pa.array(["a", "", "b", ""])).tolist() == [True, False, True, False]
    assert find_filled(pa.array(["", "a", ""], pa.large_string()).slice(1)).tolist() == [True, False]
    assert find_filled(pa.array([], pa.string())).tolist() == []
