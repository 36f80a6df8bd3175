"""A CSV made a table to ask, beside its profile and DuckDB's own reader, each in a fresh process of two threads."""

import statistics

import pytest

ROUNDS = 3

WAYS = {
    "profile": (
        "from sqlchat.files import columns, inspection, profile; from sqlchat.files.formats import csv",
        "profile.profile(path, 'data.csv')",
    ),
    "table to ask": (
        "import tempfile, duckdb; from sqlchat.connections.files.build import FileTable, build;"
        "from sqlchat.files import typed; from sqlchat.files.formats import csv;"
        "from sqlchat.files.options import Options;"
        "folder = tempfile.TemporaryDirectory()",
        "build(folder.name, (FileTable('t', 'uploads/data.csv', path, Options()),), 4096, 10_240)",
    ),
    "read_csv": (
        "import tempfile, duckdb; folder = tempfile.TemporaryDirectory();"
        "database = duckdb.connect(folder.name + '/t.duckdb', config={'threads': 2, 'memory_limit': '512MiB'});"
        "database.execute('SET enable_progress_bar = false')",
        "database.execute('CREATE TABLE t AS SELECT * FROM read_csv(?, sample_size = -1)', [path]); database.close()",
    ),
}
"""Name -> what is done before the clock starts, what is timed."""


@pytest.mark.benchmark(group="a CSV as a table, with the start of a process")
def test_files(benchmark, table, measured, tell):
    rounds = [{way: measured(*code, table) for way, code in WAYS.items()} for _ in range(ROUNDS)]
    benchmark.pedantic(measured, (*WAYS["table to ask"], table), rounds=1)
    medians = {way: [statistics.median(r[way][i] for r in rounds) for i in range(3)] for way in WAYS}
    wall, cpu, _ = medians["profile"]
    for way, (seconds, work, peak) in medians.items():
        tell(
            f"{way:16} of {table.stat().st_size >> 20} MiB: {seconds:6.2f} s ({seconds / wall:.2f} x the profile), "
            f"CPU {work:6.2f} s ({work / cpu:.2f} x), peak {peak:5.0f} MiB"
        )
