"""From an upload to a table to ask: the profile and the table made with what it found, beside the table made without
and DuckDB's own reader, each in a fresh process.

A file of 16 MiB, in about a minute; with `SQLCHAT_BENCHMARK_MB=200` one of that size."""

import os
import statistics

import pytest

ROUNDS = 3
SMALL = 16 << 20

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


@pytest.fixture(scope="module")
def file(table, tmp_path_factory):
    """The table, cut after a row unless its size was asked for."""
    if "SQLCHAT_BENCHMARK_MB" in os.environ:
        return table
    with table.open("rb") as whole:
        start = whole.read(SMALL)
    path = tmp_path_factory.mktemp("small") / "data.csv"
    path.write_bytes(start[: start.rindex(b"\n") + 1])
    return path


@pytest.mark.benchmark(group="from an upload to a table, with the start of a process")
def test_files(benchmark, file, measured, tell):
    rounds = [{way: measured(*code, file) for way, code in WAYS.items()} for _ in range(ROUNDS)]
    benchmark.pedantic(measured, (*WAYS["profile and table"], file), rounds=1)
    medians = {way: [statistics.median(r[way][i] for r in rounds) for i in range(3)] for way in WAYS}
    wall, cpu, _ = medians["each by itself"]
    for way, (seconds, work, peak) in medians.items():
        tell(
            f"{way:20} of {file.stat().st_size >> 20} MiB: {seconds:6.2f} s ({seconds / wall:.2f} x each alone), "
            f"CPU {work:6.2f} s ({work / cpu:.2f} x), peak {peak:5.0f} MiB"
        )
