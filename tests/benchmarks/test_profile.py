"""The profile of a CSV beside DuckDB's SUMMARIZE and plain pandas, each in a fresh process of two threads."""

import json
import os
import statistics
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

SIZE = int(os.environ.get("SQLCHAT_BENCHMARK_MB", "50")) << 20
ROUNDS = 3
ROWS = 100_000

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

CHILD = """
import json, re, sys, time
path = sys.argv[1]
{preparation}
wall, cpu = time.perf_counter(), time.process_time()
{work}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(json.dumps([wall, cpu, int(peak) / 1024]))
"""
"""What getrusage calls the peak would begin with that of the parent process."""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Orders: numbers, texts few and many, dates, codes, quotes."""
    path = tmp_path_factory.mktemp("benchmark") / "orders.csv"
    random = np.random.default_rng(1)
    start = pd.Timestamp("2020-01-01")
    first = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        while file.tell() < SIZE:
            days = pd.to_timedelta(random.integers(0, 1000, ROWS), unit="D")
            seconds = pd.to_timedelta(random.integers(0, 10**8, ROWS), unit="s")
            pd.DataFrame(
                {
                    "id": np.arange(first, first + ROWS),
                    "customer": [f"Customer {number}" for number in random.integers(0, 50_000, ROWS)],
                    "country": random.choice(["Germany", "France", "Brazil, South", "United States"], ROWS),
                    "amount": np.round(random.gamma(2, 50, ROWS), 2),
                    "quantity": random.integers(1, 100, ROWS),
                    "ordered_at": start + seconds,
                    "day": (start + days).strftime("%Y-%m-%d"),
                    "paid": random.choice(["true", "false"], ROWS),
                    "zip": [f"{number:05}" for number in random.integers(0, 99_999, ROWS)],
                    "score": random.normal(size=ROWS),
                }
            ).to_csv(file, index=False, header=first == 0)
            first += ROWS
    return path


def measured(way, path):
    """Wall seconds, CPU seconds and peak MiB of one way in a fresh process."""
    preparation, work = WAYS[way]
    code = CHILD.format(preparation=preparation, work=work)
    child = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, timeout=900)
    return json.loads(child.stdout)


@pytest.mark.benchmark(group="profile of a CSV, with the start of a process")
def test_profile(benchmark, table, tell):
    rounds = [{way: measured(way, table) for way in WAYS} for _ in range(ROUNDS)]
    benchmark.pedantic(measured, ("profile", table), rounds=1)
    medians = {way: [statistics.median(r[way][i] for r in rounds) for i in range(3)] for way in WAYS}
    wall, cpu, _ = medians["SUMMARIZE"]
    for way, (seconds, work, peak) in medians.items():
        tell(
            f"{way:16} of {table.stat().st_size >> 20} MiB: {seconds:6.2f} s ({seconds / wall:.2f} x SUMMARIZE), "
            f"CPU {work:6.2f} s ({work / cpu:.2f} x), peak {peak:5.0f} MiB"
        )
