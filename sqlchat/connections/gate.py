"""The one way by which SQL reaches a database: the guard judges it in a worker, then the connection runs it."""

from __future__ import annotations

from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.errors import DeadlineError, SQLRefusedError, TooLargeError
from sqlchat.sql.guard import Verdict, check
from sqlchat.workers import Workers

JUDGING = 2.0
"""Seconds for the guard. Parsing can itself be the attack; any honest text takes some milliseconds."""


class Gate:
    """Judges and runs. Safe to call from several threads."""

    def __init__(self, workers: Workers, settings: Settings) -> None:
        self._workers, self._settings = workers, settings

    def check(self, connection: Connection, sql: str, functions: frozenset[str] | None = None) -> Verdict:
        """What kind of statement `sql` is, once it may run.

        `functions` are those that the database knows (`Catalog.functions`). Raises SQLRefusedError, SQLSyntaxError
        and BusyError.
        """
        try:
            return self._workers.call(check, sql, connection.dialect, functions, deadline=JUDGING)
        except (DeadlineError, TooLargeError) as exc:
            raise SQLRefusedError("This SQL is too costly to judge; write it with less nesting.") from exc

    def run(
        self,
        connection: Connection,
        sql: str,
        *,
        max_rows: int | None = None,
        tag: str = "",
        functions: frozenset[str] | None = None,
    ) -> Results:
        """Run one reading statement within the settings' limits: `max_rows` rows, or as many as they say.

        Raises what `check` and `Connection.run` raise.
        """
        self.check(connection, sql, functions)
        asked = self._settings.max_rows if max_rows is None else max_rows
        rows = max(0, min(asked, self._settings.max_rows_ceiling))
        return connection.run(sql, max_rows=rows, timeout=self._settings.statement_timeout, tag=tag)
