"""Holds the cost that a database expects of a query, and compares it with a ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from sqlchat.errors import SQLRefusedError


@dataclass(frozen=True, slots=True)
class Plan:
    """A database's estimate for a query."""

    cost: float | None = None
    """None if the database makes no estimate. The unit is the engine's own: Postgres' and MySQL's cost, the rows that
    pass through all steps in DuckDB, the combinations of rows in MariaDB before 11, the bytes that Spark reads."""
    secret_cost: float | None = field(default=None, repr=False)
    """A cost that must stay secret, since it counts rows that the caller may not see."""
    no_cost_because: str = ""
    """Why a database that usually makes an estimate made none."""

    def hold_to(self, ceiling: float) -> None:
        """Raise SQLRefusedError if the cost is above `ceiling`, or missing. A `ceiling` of 0 allows every cost."""
        if ceiling and self.no_cost_because:
            detail = f"No ceiling of cost holds for this query: {self.no_cost_because}"
            raise SQLRefusedError(detail, max_plan_cost=ceiling)
        cost = self.secret_cost if self.cost is None else self.cost
        if not ceiling or cost is None or cost <= ceiling:
            return
        facts: dict[str, Any] = {"max_plan_cost": ceiling}
        expected = "more"
        if self.cost is not None and math.isfinite(self.cost):
            facts["plan_cost"] = self.cost
            expected = f"{self.cost:,.15g}, more"
        raise SQLRefusedError(
            f"The database expects this query to cost {expected} than the ceiling of {ceiling:,.15g}; "
            "filter it more, or join less.",
            **facts,
        )
