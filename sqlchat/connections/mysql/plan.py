"""Reads the expected cost of a query from EXPLAIN FORMAT=JSON of MySQL or MariaDB.

MySQL estimates a cost for each query block (a SELECT, a part of a UNION, a subquery) or, in its newer format, for the
whole query; so does MariaDB from version 11 on. An older MariaDB estimates only how many rows of each table it reads
for each row of the table before: the product is the cost of a block. The costs of all blocks are added up.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any


def read_cost(plan_json: str) -> float | None:
    """Return the cost in the server's own unit, or the rows that it reads; None if the plan has neither."""
    try:
        document = json.loads(plan_json)
        newer = document.get("query_plan", document).get("estimated_total_cost")
        if newer is not None:
            return float(newer)
        blocks = list(_find_blocks(document))
        costs = [cost for block in blocks if (cost := _read_own_cost(block)) is not None]
        if not costs:
            costs = [float(math.prod(rows)) for block in blocks if (rows := list(_find_rows(block)))]
    except RecursionError:
        return math.inf
    return math.fsum(costs) if costs else None


def _read_own_cost(block: dict[str, Any]) -> float | None:
    cost = block.get("cost", block.get("cost_info", {}).get("query_cost"))
    return None if cost is None else float(cost)


def _find_blocks(node: Any) -> Iterator[dict[str, Any]]:
    for key, inner in _list_members(node):
        if key == "query_block":
            yield inner
        yield from _find_blocks(inner)


def _find_rows(node: Any) -> Iterator[int]:
    """Yield the rows of each table of a block, without the blocks inside it."""
    for key, inner in _list_members(node):
        if key == "query_block":
            continue
        if key == "table" and isinstance(inner, dict) and "rows" in inner:
            yield max(1, int(inner["rows"]))
        yield from _find_rows(inner)


def _list_members(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, list):
        yield from (("", item) for item in node)
