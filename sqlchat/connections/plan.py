"""The cost that a database expects of a query before it runs, and its ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from sqlchat.errors import SQLRefusedError


@dataclass(frozen=True, slots=True)
class Plan:
    """The database's own estimate; None where it makes none."""

    cost: float | None = None
    """In the engine's own unit: what Postgres and MySQL call cost, the rows that pass through all steps of a plan of
    DuckDB's, the combinations of rows that MariaDB before 11 looks at, the bytes that Spark reads."""
    untold: float | None = field(default=None, repr=False)
    """The cost where it must not be told, since it tells of rows that the caller may not see."""
    withheld: str = ""
    """Why the database, which usually makes an estimate, made none."""

    def hold_to(self, ceiling: float) -> None:
        """Raise SQLRefusedError for a cost above `ceiling`, with both, or for one withheld; 0 is no ceiling."""
        if ceiling and self.withheld:
            raise SQLRefusedError(f"No ceiling of cost holds for this query: {self.withheld}", max_plan_cost=ceiling)
        cost = self.untold if self.cost is None else self.cost
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
