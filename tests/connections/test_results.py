"""Results of a bounded number of rows and bytes, alike for each database."""

import json

import pytest

from sqlchat.connections.results import Collector, Header
from sqlchat.connections.streams import Feed
from sqlchat.errors import DatabaseUnavailableError, TooLargeError

THREE = "SELECT 1 AS n, 'a' AS t UNION ALL SELECT 2, NULL UNION ALL SELECT 3, '' ORDER BY 1"
HEADER = Header(("n",), ("integer",), ("int64",), (False,))


def collect(batches, max_rows, max_bytes=100, read_rows=lambda batch: batch):
    rows = Collector(max_rows, max_bytes)
    rows.begin(HEADER, read_rows)
    for batch in batches:
        rows.put(batch)
    return rows.make_results()


@pytest.mark.parametrize(
    ("batches", "max_rows", "expected"),
    [
        ([], 2, (b"[]", 0, False)),
        ([b"1\n2\n"], 2, (b"[[1],[2]]", 2, False)),
        ([b"1\n2\n", b"3\n"], 2, (b"[[1],[2]]", 2, True)),
        ([b"1\n2\n3\n"], 2, (b"[[1],[2]]", 2, True)),
        ([b"1\n"], 0, (b"[]", 0, True)),
        ([b"\n\n"], 2, (b"[[],[]]", 2, False)),
    ],
)
def test_batches_are_collected(batches, max_rows, expected):
    results = collect(batches, max_rows)
    assert (results.rows, results.row_count, results.truncated) == expected
    assert (results.columns, results.types) == (("n",), ("integer",))


def test_the_bytes_of_the_json_are_bounded():
    assert len(collect([b"1\n" * 24], 30).rows) == 97
    with pytest.raises(TooLargeError):
        collect([b"1\n" * 26], 30)


def test_values_are_written_once_they_are_wanted():
    rows = Collector(3, 100)
    rows.begin(HEADER)
    for batch in ([(1,), ("],[\n",)], [(None,), (object(),)]):
        rows.put_values(batch)
    results = rows.make_results()
    assert (results.rows, results.row_count, results.truncated) == (b'[[1],["],[\\n"],[null]]', 3, True)


def test_a_statement_that_is_repeated_begins_anew_where_nothing_has_gone():
    rows = Collector(5, 100)
    for number in (b"1\n", b"2\n"):
        rows.begin(HEADER)
        rows.put(number)
    assert rows.make_results().rows == b"[[2]]"
    feed = Feed()
    feed.begin(HEADER)
    with pytest.raises(DatabaseUnavailableError):
        feed.begin(HEADER)


@pytest.mark.parametrize(("max_rows", "truncated"), [(0, True), (1, True), (2, True), (3, False), (4, False)])
def test_one_row_more_tells_that_there_are_more(any_connection, max_rows, truncated):
    results = any_connection.run(THREE, max_rows=max_rows, timeout=100)
    assert json.loads(results.rows) == [[1, "a"], [2, None], [3, ""]][:max_rows]
    assert (results.row_count, results.truncated) == (min(max_rows, 3), truncated)
    assert results.columns == ("n", "t")


def test_many_rows_come_in_batches(any_connection):
    digits = "(SELECT 0 AS i UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)"
    joined = ", ".join(f"{digits} AS {name}" for name in "abcdef")
    sql = f"SELECT a.i + 5 * b.i + 25 * c.i + 125 * d.i + 625 * e.i + 3125 * f.i AS n FROM {joined} ORDER BY 1"
    results = any_connection.run(sql, max_rows=9_999, timeout=100)
    assert json.loads(results.rows) == [[n] for n in range(9_999)]
    assert results.truncated


def test_a_result_above_the_limit_is_refused(any_connection):
    text = {"sqlite": "hex(zeroblob(300000))"}.get(any_connection.dialect, "repeat('x', 600000)")
    with pytest.raises(TooLargeError, match="1 MiB"):
        any_connection.run(f"SELECT {text} UNION ALL SELECT {text}", max_rows=10, timeout=100)
    assert any_connection.run("SELECT 1", max_rows=1, timeout=100).rows == b"[[1]]"
