"""Reads Spark over Spark Connect.

Spark has no read-only mode. A query runs inside `SELECT * FROM (...) LIMIT n`: the server's grammar allows nothing
there that writes or sets. Apart from queries, only SHOW and DESCRIBE run. The guard, `statement.py` and the session's
settings refuse programs, Java, and files by their path. Each statement has a tag, by which its deadline ends it.

A session belongs to one connection, which has one owner. A query leaves nothing behind in it.
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from sqlchat.config import Settings
from sqlchat.connections.faults import make_timeout_error
from sqlchat.connections.plan import Plan
from sqlchat.connections.results import Request, Sink
from sqlchat.connections.servers.connection import CATALOG_TIMEOUT, ServerConnection
from sqlchat.connections.spark.catalog import read_catalog
from sqlchat.connections.spark.config import NamedPath, SparkConfig, read_config
from sqlchat.connections.spark.errors import make_config_error, make_query_error
from sqlchat.connections.spark.plan import read_plan
from sqlchat.connections.spark.profile import read_profiles
from sqlchat.connections.spark.session import Answer, Session, SparkError, quote_name
from sqlchat.connections.spark.statement import CheckedStatement, check_statement
from sqlchat.errors import ConnectionConfigError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import ColumnProfile, Path
from sqlchat.workers import Workers

MOST_TRIED = 20
"""Most named paths that a check reads."""
GRACE = 1.0
"""Seconds after a statement's deadline until we stop waiting for it."""
LONGEST_STATEMENT = 86_400.0
"""Seconds for a stream, whose deadline is renewed with each batch."""
T = TypeVar("T")


class SparkConnection(ServerConnection):
    provider = "spark"
    dialect = "spark"
    unconnected = (SparkError,)
    _target: SparkConfig

    def __init__(self, config: Mapping[str, Any], settings: Settings, workers: Workers) -> None:
        self._set_up(read_config(config, settings.spark_paths), settings)
        self._schemas: dict[str, str] = {}
        """Columns and types of named paths as SQL, so that later sessions need not read the files."""

    def _connect(self, address: str) -> Session:
        return Session(self._target, address)

    def _explain_refusal(self, exc: Exception, *, near: bool) -> ConnectionConfigError:
        return make_config_error(cast(SparkError, exc), near=near)

    def _read_warnings(self) -> tuple[list[str], bool]:
        return [], self._target.sslmode != "disable"

    def catalog(self) -> Catalog:
        def read(session: Session) -> Catalog:
            columns = {
                name: session.describe_path(path, CATALOG_TIMEOUT) for name, path in self._target.tables.items()
            }
            self._schemas = {
                name: ", ".join(f"{quote_name(column)} {kind.simpleString()}" for column, kind in pairs)
                for name, pairs in columns.items()
            }
            return read_catalog(lambda sql: session.ask(sql, CATALOG_TIMEOUT), columns, self._target.database)

        return self._use_session(read, CATALOG_TIMEOUT)

    def send(self, request: Request, sink: Sink) -> None:
        statement = check_statement(request.sql)
        use = partial(self._send, statement, request, sink)
        self._use_session(use, request.timeout, statement.text)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        statement = check_statement(sql)
        if not statement.is_query:
            return Plan()
        limit = self._settings.max_rows if max_rows is None else max_rows
        timeout = self._settings.statement_timeout

        def explain(session: Session) -> Plan:
            self._name_paths(session, statement.text)
            return read_plan(session.explain(statement.write(limit + 1), timeout))

        return self._use_session(explain, timeout, statement.text)

    def read_profiles(self, catalog: Catalog, timeout: float) -> dict[Path, ColumnProfile]:
        def read(session: Session) -> dict[Path, ColumnProfile]:
            session.name_paths(self._target.tables, self._schemas)
            return read_profiles(lambda sql, left: list(session.execute(sql, "sqlchat", left)), catalog, timeout)

        return self._use_session(read, timeout)

    def _try_session(self, session: Session) -> None:
        """Raise ConnectionConfigError for a named path that cannot be read. Tries the first MOST_TRIED of them."""
        session.ask("SELECT 1", CATALOG_TIMEOUT)
        for name, path in itertools.islice(self._target.tables.items(), MOST_TRIED):
            if not self._finds_columns(session, path):
                raise ConnectionConfigError(f"tables: the server finds nothing to read at the path of {name}.")
            log = NamedPath(f"{path.path.rstrip('/')}/_delta_log/", "json")
            if path.format == "parquet" and self._finds_columns(session, log):  # its old files are Parquet too
                raise ConnectionConfigError(f"tables: {name} is a Delta table; give it the format delta.")

    def _finds_columns(self, session: Session, path: NamedPath) -> bool:
        try:
            return bool(session.describe_path(path, CATALOG_TIMEOUT))
        except SparkError as exc:
            if exc.is_of_session:
                raise
            if exc.is_of_format:
                raise ConnectionConfigError(
                    f"tables: the server lacks the package that reads the format {path.format}."
                ) from exc
            return False

    def _send(self, statement: CheckedStatement, request: Request, sink: Sink, session: Session) -> None:
        from sqlchat.connections.spark.types import make_header, make_readings, write_lines, write_typed

        with self._execute(session, statement, request, sink) as (answer, types):
            readings, left = None, request.max_rows
            for batch in answer:
                if readings is None:
                    readings = make_readings(types, batch.schema)
                    sink.begin(
                        make_header(types, readings),
                        partial(write_lines, readings),
                        partial(write_typed, readings),
                    )
                sink.put(batch.slice(0, left))
                left -= batch.num_rows
                if left <= 0:
                    return
            if readings is None:
                sink.begin(make_header(types, make_readings(types, None)))

    @contextlib.contextmanager
    def _execute(
        self, session: Session, statement: CheckedStatement, request: Request, sink: Sink
    ) -> Iterator[tuple[Answer, list[tuple[str, Any]]]]:
        """Run a statement for a sink; yield its rows and columns. The statement ends with the context."""
        from sqlchat.connections.spark.types import cast_unreadable

        max_rows, timeout = request.max_rows, request.timeout
        mark = f"sqlchat-{uuid.uuid4().hex[:12]}-{request.tag}"
        running: list[Answer] = []

        def stop() -> None:
            session.interrupt(mark)
            for answer in running:
                answer.cancel()

        deadline = self._deadlines.start(timeout, stop)
        longest = LONGEST_STATEMENT if sink.is_streamed else timeout + GRACE
        is_whole = False
        try:
            self._name_paths(session, statement.text)
            running.append(answer := session.execute(statement.write(max_rows), mark, longest))
            types = answer.types
            if statement.is_query and (cast_text := cast_unreadable(statement.text, types, max_rows)):
                session.interrupt(mark)
                answer.cancel()
                running.append(answer := session.execute(cast_text, mark, longest))
            with sink.watch(answer.cancel, deadline, timeout):
                yield answer, types
            is_whole = True
            if deadline.has_passed:  # Sail ends the rows as if there were no more
                raise make_timeout_error(timeout)
        except SparkError as exc:
            if deadline.has_passed:
                raise make_timeout_error(timeout) from exc
            raise
        finally:
            deadline.cancel()
            if not is_whole and not deadline.has_passed:
                session.interrupt(mark)
            for answer in running:
                answer.cancel()

    def _name_paths(self, session: Session, text: str) -> None:
        """Make views of the named paths that `text` may mention; of all if it lists tables."""
        low = text.lower()
        is_listing = low.startswith(("show", "desc"))
        tables = {name: path for name, path in self._target.tables.items() if is_listing or name.lower() in low}
        session.name_paths(tables, self._schemas)

    def _use_session(self, use: Callable[[Session], T], timeout: float, sql: str = "") -> T:
        """Return `use(session)`. Takes another session if the first was lost in the pool."""
        while True:
            pooled = self._check_out()
            session, is_fresh = cast(Session, pooled.session), "used" not in pooled.info
            pooled.info["used"] = True
            try:
                session.refresh()
                return use(session)
            except SparkError as exc:
                if exc.is_of_session:
                    pooled.invalidate()
                    if not is_fresh:
                        continue
                fault = make_query_error(exc, sql, timeout)
                fault.place = self.place
                raise fault from exc
            finally:
                pooled.close()
