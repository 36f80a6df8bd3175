"""Validates SQL that nobody trusts: checked against the catalog, the guard and the database, then run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlchat.chat import repair
from sqlchat.connections.base import Results
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.errors import QueryError, SqlchatError, SQLRefusedError, SQLSyntaxError, UnknownNameError
from sqlchat.sql.examine import Examination
from sqlchat.sql.names import explain_unknown
from sqlchat.store import Entry
from sqlchat.telemetry.spans import open_span

FAULTS = (SQLSyntaxError, SQLRefusedError, QueryError)
"""Errors of the SQL, not of the database: another try may succeed."""


class Clock:
    """Adds up the milliseconds of each stage, however often it is entered; each time is a span of its own too."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = dict.fromkeys(("context", "model", "check", "run"), 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            with open_span(f"sqlchat.{stage}"):
                yield
        finally:
            self.spent[stage] = round(self.spent[stage] + (time.perf_counter() - start) * 1000, 2)


@dataclass(kw_only=True)
class Validator:
    """Checks and runs the drafts for one question."""

    connection: OpenConnection
    clock: Clock
    entry: Entry
    """Is told how far the question came."""
    execute: bool
    max_rows: int | None
    tag: str

    def check(self, sql: str) -> Examination:
        """`sql` as it was examined, once it is known that it may run and can. Raises one of FAULTS if not."""
        with self.clock("check"):
            try:
                return self._check(sql)
            except QueryError as fault:
                if not self.connection.reread_catalog(fault):
                    raise
                return self._check(sql)

    def run(self, examined: Examination) -> Results:
        """The rows of SQL that passed `check`. Raises one of FAULTS for what shows only in running."""
        with self.clock("run"):
            try:
                return self.connection.run(examined, max_rows=self.max_rows, tag=self.tag, is_planned=True)
            except QueryError as fault:
                fault.facts[repair.RUNNING] = True
                raise

    def describe_fault(self, fault: SqlchatError, sql: str) -> str:
        """`fault` of `sql` in words for the model, which tell no more of the data than the connection allows."""
        values = self.connection.privacy == "rows" or not repair.tells_values(fault, sql)
        return repair.describe_for_model(fault, sql, values=values)

    def _check(self, sql: str) -> Examination:
        examined = self.connection.examine(sql)
        fault = explain_unknown(examined.unknown, self.connection.catalog)
        if not examined.is_plannable:
            if fault:
                raise fault
            return examined
        try:
            # the last word on names: a database knows some that no catalog lists
            self.connection.explain(examined, max_rows=self.max_rows)
        except QueryError as exc:
            if fault is None:
                raise
            raise UnknownNameError(fault.detail, **fault.facts | exc.facts) from exc
        return examined
