"""Checks untrusted SQL against the guard, the catalog and the database, and runs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlchat.chat import repair
from sqlchat.connections.open_connection import OpenConnection
from sqlchat.connections.results import Results
from sqlchat.errors import QueryError, SqlchatError, SQLRefusedError, SQLSyntaxError, UnknownNameError
from sqlchat.sql.examine import Examination
from sqlchat.sql.names import explain_unknown
from sqlchat.store import Entry
from sqlchat.telemetry.spans import open_span

FAULTS = (SQLSyntaxError, SQLRefusedError, QueryError)
"""Errors of the SQL, not of the database: other SQL may succeed."""


class Clock:
    """Adds up the milliseconds of each stage over all times that it is entered, and opens a span each time."""

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
    """The history entry, which records the progress."""
    execute: bool
    max_rows: int | None
    tag: str

    def check(self, sql: str) -> Examination:
        """Return the examination of `sql` that may run and that the database can plan. Raises one of FAULTS."""
        with self.clock("check"):
            try:
                return self._check(sql)
            except QueryError as fault:
                if not self.connection.reread_catalog(fault):
                    raise
                return self._check(sql)

    def run(self, examined: Examination) -> Results:
        """Run SQL that passed `check` and return its rows. Raises one of FAULTS if it fails while it runs."""
        with self.clock("run"):
            try:
                return self.connection.run(examined, max_rows=self.max_rows, tag=self.tag, is_planned=True)
            except QueryError as fault:
                fault.facts[repair.RUNNING] = True
                raise

    def describe_fault(self, fault: SqlchatError, sql: str) -> str:
        """Describe `fault` of `sql` for the model, with only the data that the connection's privacy allows."""
        with_values = self.connection.privacy == "rows" or not repair.tells_values(fault, sql)
        return repair.describe_for_model(fault, sql, values=with_values)

    def _check(self, sql: str) -> Examination:
        examined = self.connection.examine(sql)
        fault = explain_unknown(examined.unknown, self.connection.catalog)
        if not examined.is_plannable:
            if fault:
                raise fault
            return examined
        try:
            # the database decides about names: it knows some that no catalog lists
            self.connection.explain(examined, max_rows=self.max_rows)
        except QueryError as exc:
            if fault is None:
                raise
            raise UnknownNameError(fault.detail, **fault.facts | exc.facts) from exc
        return examined
