"""From an upload to a table to ask: the profile and the table made with what it found, beside the table made without
and DuckDB's own reader, each in a fresh process."""

import statistics

import pytest

ROUNDS = 3

OURS = (
    "import tempfile, duckdb; from sqlchat.connections.files.build import FileTable, build;"
    "from sqlchat.files import typed; from sqlchat.files.formats import csv;"
    "from sqlchat.files.options import Options;"
    "from sqlchat.files.profile import profile; temporary = tempfile.TemporaryDirectory(); folder = temporary.name;"
    "file = FileTable('t', 'uploads/data.csv', path, Options())"
)
WAYS = {
    "profile": (OURS, "profile(path, 'data.csv', None, folder + '/findings')"),
    "profile and table": (
        OURS,
        "profile(path, 'data.csv', None, folder + '/findings');"
        "build(folder, (file,), 4096, 10_240, folder + '/findings')",
    ),
    "each by itself": (OURS, "profile(path, 'data.csv'); build(folder, (file,), 4096, 10_240)"),
    "read_csv, SUMMARIZE": (
        "import tempfile, duckdb; folder = tempfile.TemporaryDirectory();"
        "database = duckdb.connect(folder.name + '/t.duckdb', config={'threads': 2, 'memory_limit': '512MiB'});"
        "database.execute('SET enable_progress_bar = false')",
        "database.execute('CREATE TABLE t AS SELECT * FROM read_csv(?, sample_size = -1)', [path]);"
        "database.execute('SUMMARIZE t').fetchall(); database.close()",
    ),
}
"""Name -> what is done before the clock starts, what is timed."""


@pytest.mark.benchmark(group="from an upload to a table, with the start of a process")
def test_files(benchmark, table, measured, tell):
    rounds = [{way: measured(*code, table) for way, code in WAYS.items()} for _ in range(ROUNDS)]
    benchmark.pedantic(measured, (*WAYS["profile and table"], table), rounds=1)
    medians = {way: [statistics.median(r[way][i] for r in rounds) for i in range(3)] for way in WAYS}
    wall, cpu, _ = medians["each by itself"]
    for way, (seconds, work, peak) in medians.items():
        tell(
            f"{way:20} of {table.stat().st_size >> 20} MiB: {seconds:6.2f} s ({seconds / wall:.2f} x each alone), "
            f"CPU {work:6.2f} s ({work / cpu:.2f} x), peak {peak:5.0f} MiB"
        )
