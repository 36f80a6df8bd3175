"""Measurements, each beside another way of doing the same in the same run; nothing here asserts a time.

They are no part of the ordinary run. `.venv/bin/pytest tests/benchmarks` runs them all, with `-k profile` one group;
`SQLCHAT_BENCHMARK_MB=1000` sets the size of the CSV that is read (50 where it is not set). Within a group of the
table, the number in brackets is the ratio to the fastest; what the table has no column for stands below it.
"""

import json
import os
import subprocess
import sys
import uuid

import numpy as np
import pandas as pd
import pytest

SIZE = int(os.environ.get("SQLCHAT_BENCHMARK_MB", "50")) << 20
ROWS = 100_000

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


LINES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """Orders: numbers, texts few and many, dates, codes, quotes."""
    random = np.random.default_rng(1)
    start = pd.Timestamp("2020-01-01")

    def orders(first):
        days = pd.to_timedelta(random.integers(0, 1000, ROWS), unit="D")
        seconds = pd.to_timedelta(random.integers(0, 10**8, ROWS), unit="s")
        return {
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

    return written(tmp_path_factory.mktemp("benchmark") / "orders.csv", orders)


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    """Visits: hardly a number, but texts, UUIDs, times, and dates that are no ISO 8601."""
    random = np.random.default_rng(2)
    start = pd.Timestamp("2020-01-01")
    words = ["so", "a", "quick", "brown", "fox", "jumped", "over", "the", "lazy", "dog", "and", "then", "slept"]

    def visits(first):
        seconds = start + pd.to_timedelta(random.integers(0, 10**8, ROWS), unit="s")
        return {
            "visit": [uuid.UUID(bytes=random.bytes(16)) for _ in range(ROWS)],
            "email": [f"person{number}@example.com" for number in random.integers(0, 10**6, ROWS)],
            "page": [f"/articles/{number}" for number in random.integers(0, 400, ROWS)],
            "day": seconds.strftime("%d/%m/%Y"),
            "clock": seconds.strftime("%H:%M:%S"),
            "remark": [" ".join(chosen) for chosen in random.choice(words, (ROWS, 12))],
        }

    return written(tmp_path_factory.mktemp("benchmark") / "visits.csv", visits)


def written(path, rows):
    """A CSV of the size wanted; `rows(first)` gives a hundred thousand more, by column."""
    first = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        while file.tell() < SIZE:
            pd.DataFrame(rows(first)).to_csv(file, index=False, header=first == 0)
            first += ROWS
    return path


@pytest.fixture(scope="session")
def measured():
    """measured(preparation, work, path) -> wall seconds, CPU seconds and peak MiB of `work` in a fresh process."""

    def measure(preparation, work, path):
        code = CHILD.format(preparation=preparation, work=work)
        child = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, timeout=900)
        return json.loads(child.stdout)

    return measure


@pytest.fixture
def tell(request):
    """tell(line) prints a line when all is measured."""
    lines = request.config.stash.setdefault(LINES, [])
    return lines.append


def pytest_terminal_summary(terminalreporter, config):
    if lines := config.stash.get(LINES, []):
        terminalreporter.section("ratios and sizes")
        for line in lines:
            terminalreporter.write_line(line)
