"""Reads the cost of a query from DuckDB's EXPLAIN in JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from sqlchat.connections.plan import Plan

ESTIMATE = "Estimated Cardinality"
COMPARES_ALL = frozenset({"CROSS_PRODUCT", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN"})
"""Steps that compare each row of one side with each row of the other."""


def read_plan(text: str) -> Plan:
    """Return as cost the number of rows that pass through all steps together, since DuckDB estimates no cost."""
    try:
        nodes = json.loads(text)
        costs = [_count_rows(node)[0] for node in nodes]
    except RecursionError:
        return Plan(math.inf)  # some hundred joins inside one another
    return Plan(float(sum(costs)))


def _count_rows(node: dict[str, Any]) -> tuple[int, int]:
    """Count the rows that pass through a step and all steps below it, and its output rows."""
    below = [_count_rows(child) for child in node["children"]]
    inputs = [rows for _, rows in below]
    compared = math.prod(inputs) if node["name"] in COMPARES_ALL else 0
    estimate = node["extra_info"].get(ESTIMATE)
    rows = int(estimate) if estimate else compared or _estimate_output(node["name"], inputs)
    return sum(cost for cost, _ in below) + max(rows, compared), rows


def _estimate_output(name: str, below: list[int]) -> int:
    return sum(below) if name == "UNION" else max(below, default=1)
