"""A connection under a policy: what the policy denies is neither asked of the database nor told. For the manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlchat.connections.base import Connection, Results
from sqlchat.connections.plan import Plan
from sqlchat.connections.policies.policy import Judged, refuse
from sqlchat.errors import DeadlineError, SQLRefusedError, TooLargeError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

JUDGING = 5.0
"""Seconds for one text in a worker process."""


class PolicedConnection(Connection):
    """`inner`, as far as its policy lets it be read. `judged` gives its catalog under that policy, with True anew."""

    def __init__(self, inner: Connection, judged: Callable[[bool], Judged], workers: Workers) -> None:
        self._inner, self._judged, self._workers = inner, judged, workers
        vars(self).update(provider=inner.provider, dialect=inner.dialect)

    def for_caller(self, claims: Mapping[str, Any] | None) -> Connection:
        inner = self._inner.for_caller(claims)
        return self if inner is self._inner else PolicedConnection(inner, self._judged, self._workers)

    def revision(self) -> object:
        return self._inner.revision()

    def check(self) -> list[str]:
        return self._inner.check()

    def catalog(self) -> Catalog:
        return self._judged(True).visible

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        self._refuse(sql)
        return self._inner.run(sql, max_rows=max_rows, timeout=timeout, tag=tag)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        self._refuse(sql)
        return self._inner.explain(sql, max_rows=max_rows)

    def profiles(self, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
        asked = {(table.schema, table.name) for table in catalog.tables}
        visible = self._judged(False).visible
        shown = replace(visible, tables=tuple(t for t in visible.tables if (t.schema, t.name) in asked))
        paths = {(table.schema, table.name, column.name) for table in shown.tables for column in table.columns}
        found = self._inner.profiles(shown, timeout)
        return {path: each for path, each in found.items() if path in paths}

    def _refuse(self, sql: str) -> None:
        try:
            self._workers.call(refuse, sql, self._judged(False).part(sql), deadline=JUDGING)
        except (DeadlineError, TooLargeError) as exc:
            raise SQLRefusedError("This SQL is too costly to judge; write it with less nesting.") from exc
