"""Tries SQL that nobody trusts: checked against the catalog, the guard and the database, then run. For `pipeline`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlchat.chat import repair
from sqlchat.chat.answer import Checked
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.gate import Gate
from sqlchat.errors import QueryError, SqlchatError, SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.lineage import lineage
from sqlchat.sql.names import nearest, unknown_names
from sqlchat.store import Entry
from sqlchat.store.connections import Privacy
from sqlchat.workers import Workers

DEADLINE = 5.0  # seconds for one look at a statement in a worker process
FAULTS = (SQLSyntaxError, SQLRefusedError, QueryError)
"""What is wrong with the SQL rather than with the database: another try can end otherwise."""


class Clock:
    """Adds up the milliseconds of each stage, however often it is entered."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = dict.fromkeys(("context", "model", "check", "run"), 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[stage] = round(self.spent[stage] + (time.perf_counter() - start) * 1000, 2)


@dataclass(kw_only=True)
class Validator:
    """Where and how the drafts for one question are tried."""

    connection: Connection
    catalog: Catalog
    newer: Callable[[SqlchatError], Catalog | None]
    """The catalog as it is by now, where that may mend a fault."""
    gate: Gate
    workers: Workers
    clock: Clock
    entry: Entry
    """Is told how far the question came."""
    execute: bool
    max_rows: int | None
    tag: str
    privacy: Privacy
    """What of the connection's data a model may see."""

    def check(self, sql: str) -> Checked:
        """What `sql` reads, once it is known that it may run and can. Raises one of FAULTS where not."""
        with self.clock("check"):
            try:
                self._check(sql)
            except (QueryError, SQLRefusedError) as fault:
                catalog = self.newer(fault)
                if catalog is None:
                    raise
                self.catalog = catalog
                self._check(sql)
            part, dialect = self.catalog.mentioned_in(sql), self.connection.dialect
            return Checked(sql=sql, lineage=self.workers.call(lineage, sql, dialect, part, deadline=DEADLINE))

    def run(self, sql: str) -> Results:
        """The rows of `sql`, which passed `check`. Raises one of FAULTS for what shows only in running."""
        with self.clock("run"):
            try:
                return self.gate.run(
                    self.connection,
                    sql,
                    max_rows=self.max_rows,
                    tag=self.tag,
                    catalog=self.catalog,
                    planned=True,
                )
            except QueryError as fault:
                fault.facts[repair.RUNNING] = True
                raise

    def for_model(self, fault: SqlchatError, sql: str) -> str:
        """`fault` of `sql` in words for the model, which tell no more of the data than the connection allows."""
        return repair.for_model(fault, sql, values=self.privacy == "rows" or not repair.tells_values(fault, sql))

    def _check(self, sql: str) -> None:
        connection, catalog = self.connection, self.catalog
        refused: SQLRefusedError | None = None
        try:
            verdict = self.gate.check(connection, sql, catalog)
        except SQLRefusedError as exc:
            if "unknown_names" not in exc.facts:
                raise
            refused = exc
        unknown = self.workers.call(unknown_names, sql, catalog.mentioned_in(sql), deadline=DEADLINE)
        fault = repair.unknown(unknown, {u.name: nearest(u, catalog) for u in unknown}) if unknown else None
        if refused:
            raise fault or refused
        if not verdict.plannable:
            if fault:
                raise fault
            return
        try:
            # the last word on names: a database knows some that no catalog lists
            self.gate.explain(connection, sql, max_rows=self.max_rows)
        except QueryError as exc:
            if fault is None:
                raise
            raise QueryError(fault.detail, **fault.facts | exc.facts) from exc
