"""The profile of a CSV beside DuckDB's SUMMARIZE and plain pandas, each in a fresh process of two threads."""

import statistics

import pytest

ROUNDS = 3

WAYS = {
    "profile": (
        "from sqlchat.files import columns, inspection, profile; from sqlchat.files.formats import csv",
        "profile.profile(path, 'data.csv')",
    ),
    "SUMMARIZE": (
        "import duckdb; duckdb.sql('SET threads = 2; SET enable_progress_bar = false')",
        "duckdb.execute('SUMMARIZE SELECT * FROM read_csv(?)', [path]).fetchall()",
    ),
    "pandas.read_csv": ("import pandas", "pandas.read_csv(path)"),
}
"""Name -> what is imported before the clock starts, what is timed."""


@pytest.mark.parametrize("kind", ["table", "texts"])
@pytest.mark.benchmark(group="profile of a CSV, with the start of a process")
def test_profile(benchmark, request, kind, measured, tell):
    table = request.getfixturevalue(kind)
    rounds = [{way: measured(*code, table) for way, code in WAYS.items()} for _ in range(ROUNDS)]
    benchmark.pedantic(measured, (*WAYS["profile"], table), rounds=1)
    medians = {way: [statistics.median(r[way][i] for r in rounds) for i in range(3)] for way in WAYS}
    wall, cpu, _ = medians["SUMMARIZE"]
    for way, (seconds, work, peak) in medians.items():
        tell(
            f"{way:16} of {table.name}, {table.stat().st_size >> 20} MiB: {seconds:6.2f} s "
            f"({seconds / wall:.2f} x SUMMARIZE), CPU {work:6.2f} s ({work / cpu:.2f} x), peak {peak:5.0f} MiB"
        )
