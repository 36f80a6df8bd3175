"""The one way by which SQL reaches a database: the guard judges it in a worker, then the connection runs it."""

from __future__ import annotations

from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.plan import Plan
from sqlchat.errors import DeadlineError, SQLRefusedError, TooLargeError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.guard import Verdict, check
from sqlchat.workers import Workers

JUDGING = 2.0
"""Seconds for the guard. Parsing can itself be the attack; any honest text takes some milliseconds."""


class Gate:
    """Judges and runs. Safe to call from several threads."""

    def __init__(self, workers: Workers, settings: Settings) -> None:
        self._workers, self._settings = workers, settings

    def check(self, connection: Connection, sql: str, catalog: Catalog | None = None) -> Verdict:
        """What kind of statement `sql` is, once it may run on the database that `catalog` describes.

        Raises SQLRefusedError, SQLSyntaxError and BusyError.
        """
        part = None if catalog is None else catalog.mentioned_in(sql)
        functions = None if part is None else part.functions
        try:
            return self._workers.call(check, sql, connection.dialect, functions, part, deadline=JUDGING)
        except (DeadlineError, TooLargeError) as exc:
            raise SQLRefusedError("This SQL is too costly to judge; write it with less nesting.") from exc

    def explain(self, connection: Connection, sql: str, *, max_rows: int | None = None) -> Plan:
        """Let the database plan a query that `check` has found plannable, to run for `max_rows` rows.

        Raises what `Connection.explain` raises, and SQLRefusedError for a plan above SQLCHAT_MAX_PLAN_COST.
        """
        plan = connection.explain(sql, max_rows=self._rows(max_rows))
        plan.hold_to(self._settings.max_plan_cost)
        return plan

    def run(
        self,
        connection: Connection,
        sql: str,
        *,
        max_rows: int | None = None,
        tag: str = "",
        catalog: Catalog | None = None,
        planned: bool = False,
    ) -> Results:
        """Run one reading statement within the settings' limits: `max_rows` rows, or as many as they say.

        `planned` says that `explain` has already let this query pass. Raises what `check`, `explain` and
        `Connection.run` raise.
        """
        verdict = self.check(connection, sql, catalog)
        if self._settings.max_plan_cost:
            if verdict.analyzed:
                self.explain(connection, verdict.analyzed)
            elif verdict.plannable and not planned:
                self.explain(connection, sql, max_rows=max_rows)
        rows = self._rows(max_rows)
        return connection.run(sql, max_rows=rows, timeout=self._settings.statement_timeout, tag=tag)

    def _rows(self, asked: int | None) -> int:
        wanted = self._settings.max_rows if asked is None else asked
        return max(0, min(wanted, self._settings.max_rows_ceiling))
