"""Measurements, each beside another way of doing the same in the same run; nothing here asserts a time.

They are no part of the ordinary run. `.venv/bin/pytest tests/benchmarks` runs them all, with `-k profile` one group;
`SQLCHAT_BENCHMARK_MB=1000` sets the size of the CSV that is profiled (50 where it is not set). Within a group of the
table, the number in brackets is the ratio to the fastest; what the table has no column for stands below it.
"""

import pytest

LINES = pytest.StashKey[list[str]]()


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
