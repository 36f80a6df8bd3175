"""Holds everything process-wide in one object: store, connections, worker processes, providers, services."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from sqlchat import demo
from sqlchat.chat.audit import Audit
from sqlchat.chat.budgets import Budgets
from sqlchat.chat.context import SchemaLinker
from sqlchat.chat.feedback import FeedbackEditor
from sqlchat.chat.knowledge import Knowledge
from sqlchat.chat.knowledge_editor import KnowledgeEditor
from sqlchat.chat.pipeline import Pipeline
from sqlchat.chat.semantic_editor import SemanticEditor
from sqlchat.config import Settings
from sqlchat.connections.files.connection import FilesConnection
from sqlchat.connections.files.databases import FileDatabases
from sqlchat.connections.manager import ConnectionManager
from sqlchat.connections.open_connection import Claims
from sqlchat.connections.prefetch import Prefetcher
from sqlchat.connections.results import Results
from sqlchat.connections.servers.pool import count_connections
from sqlchat.connections.streams import Stream
from sqlchat.errors import ConnectionConfigError, QueryError, UnavailableError
from sqlchat.files.service import Files
from sqlchat.files.storage import open_storage
from sqlchat.providers.factory import ProviderFactory
from sqlchat.sql.dialects import find_dialect
from sqlchat.sql.lineage import Lineage, lineage
from sqlchat.store import Store
from sqlchat.tokens import TokenVerifier
from sqlchat.workers import Turns, Workers

log = logging.getLogger(__name__)

LOCAL_OWNER = "local"
"""Owns everything in local single-user mode."""

OPEN_OWNER = "open"
"""Owns what callers without a token make where the operator opened the data routes."""

DEMO = "demo"
DEMO_FILE = "demo.sqlite"

JUDGES = 2
JUDGE_MEMORY_MB = 1024
BACKGROUND = 5
"""Niceness of processes that run callers' data: their long work leaves the processors to requests and judges."""
LINEAGE_DEADLINE = 5.0
"""Seconds of CPU time."""
SQL_MODULES = tuple(f"sqlchat.sql.{name}" for name in ("examine", "dialects", "fragments", "semantic"))
UPLOAD_MODULES = ("sqlchat.files.profile",)
BUILD_MODULES = ("sqlchat.connections.files.build",)


class Runtime:
    """The services that requests share. It opens no pool or process before it needs it, so it survives a fork.

    Making one also makes the embedded store and, at its very first start in local mode, the demo connection. A store
    on a server is left as it is, there or not: its upgrade belongs to the release.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Final = settings
        self.store: Final = Store(settings)
        # where callers are told apart, one of them may not take all processes
        others = 1 if settings.auth_configured else 0
        self.threads: Final = Turns(settings.threads, settings.owner_threads)
        """Of this web process: a signed-in caller may take a share of them."""
        judges, idle = 1 if settings.is_small else JUDGES, settings.idle_seconds
        self.judges: Final = Workers(
            judges,
            JUDGE_MEMORY_MB,
            preload=SQL_MODULES,
            share=max(1, judges - others),
            name="sql",
            idle=idle,
            kept=0 if settings.is_small else 1,
            counts_cpu=True,
        )
        """Read the SQL of strangers: nobody's slow query holds that up."""
        self.workers: Final = Workers(
            settings.sql_workers,
            settings.sql_worker_memory_mb,
            share=max(1, settings.sql_workers - others),
            name="databases",
            idle=idle,
            niceness=BACKGROUND,
        )
        """Run the embedded databases."""
        idle_files = 0.0 if settings.is_small else idle
        self.upload_workers: Final = Workers(
            1,
            settings.upload_worker_memory_mb,
            patience=settings.upload_timeout / 2,
            preload=UPLOAD_MODULES,
            name="uploads",
            idle=idle_files,
            niceness=BACKGROUND,
        )
        """Read the files of strangers."""
        self.build_workers: Final = Workers(
            1,
            settings.upload_worker_memory_mb,
            preload=BUILD_MODULES,
            name="builds",
            idle=idle_files,
            niceness=BACKGROUND,
        )
        """Make tables of them, which takes longer: nobody's upload waits for that."""
        self._pools = self.judges, self.workers, self.upload_workers, self.build_workers
        storage = open_storage(settings)
        shared = LOCAL_OWNER, OPEN_OWNER
        databases = FileDatabases(settings, storage, self.build_workers, shared, readings=self.store.readings)
        self._databases = databases

        def files_connection(owner: str, config: Mapping[str, Any]) -> FilesConnection:
            return FilesConnection(config, settings, self.workers.for_owner(owner), databases, owner)

        linker = SchemaLinker(settings.catalog_room)
        self.prefetcher: Final = Prefetcher(linker.prepare) if settings.reads_ahead else None
        self.manager: Final = ConnectionManager(
            settings,
            self.store,
            self.workers,
            judges=self.judges,
            prefetcher=self.prefetcher,
            makers={"files": files_connection},
        )
        self.providers: Final = ProviderFactory(settings)
        self.knowledge: Final = Knowledge(self.store.knowledge, self.judges)
        self.knowledge_editor: Final = KnowledgeEditor(self.store.knowledge, self.manager, self.judges)
        self.semantic_editor: Final = SemanticEditor(
            self.store.knowledge, self.manager, self.judges, settings.semantic_timeout
        )
        self.feedback: Final = FeedbackEditor(self.store.feedback, self.store.history, self.knowledge_editor)
        budgets = Budgets(settings, self.store.history)
        self.pipeline: Final = Pipeline(
            settings,
            self.manager,
            self.providers,
            knowledge=self.knowledge,
            history=self.store.history,
            workers=self.judges,
            linker=linker,
            budgets=budgets,
        )
        self.audit: Final = Audit(self.store.history, budgets)
        self.files: Final = Files(
            settings, storage, self.upload_workers, databases.look_again_at, self.store.readings
        )
        self.verifier: Final = TokenVerifier(settings)
        if self.store.embedded:
            self.store.upgrade()
            self._welcome()
            self.store.close()  # no connection of it may cross a fork

    def execute(
        self,
        owner: str,
        connection_id: str,
        sql: str,
        *,
        max_rows: int | None = None,
        tag: str = "",
        claims: Claims = None,
    ) -> Results:
        """Run a caller's own SQL; `claims` are those of the caller's token.

        Raises ConnectionNotFoundError, UnauthorizedError, and what `OpenConnection.examine` and `run` raise.
        """
        connection = self.manager.open(owner, connection_id, claims)
        try:
            return connection.run(connection.examine(sql), max_rows=max_rows, tag=tag)
        except QueryError as fault:
            connection.reread_catalog(fault)  # what comes next finds the catalog as it is
            raise

    def stream(
        self,
        owner: str,
        connection_id: str,
        sql: str,
        *,
        max_rows: int | None = None,
        tag: str = "",
        claims: Claims = None,
    ) -> Stream:
        """As `execute`, with the rows as they come. Whoever gets the stream closes it."""
        connection = self.manager.open(owner, connection_id, claims)
        try:
            return connection.stream(connection.examine(sql), max_rows=max_rows, tag=tag)
        except QueryError as fault:
            connection.reread_catalog(fault)
            raise

    def lineage(
        self,
        owner: str,
        sql: str,
        dialect: str | None = None,
        connection_id: str | None = None,
        claims: Claims = None,
    ) -> Lineage:
        """The tables and columns that `sql` reads and writes.

        With a connection, its catalog resolves names, and its dialect is the default.

        Raises DialectUnknownError, ConnectionNotFoundError, UnauthorizedError, SQLSyntaxError, SQLRefusedError and
        DeadlineError.
        """
        named = find_dialect(dialect) if dialect else None
        catalog = self.manager.open(owner, connection_id, claims).catalog.mentioned_in(sql) if connection_id else None
        own = catalog.dialect if catalog else ""
        return self.judges.for_owner(owner).call(
            lineage, sql, own if named is None else named, catalog, deadline=LINEAGE_DEADLINE
        )

    def readers(self, owner: str, bucket: str, name: str) -> list[str]:
        """Names of the owner's connections that read a stored file; none where they cannot be looked up just now."""

        def reads(config: Mapping[str, Any]) -> bool:
            try:
                return any(
                    (each.bucket, each.name) == (bucket, name) for each in self._databases.read_files(owner, config)
                )
            except ConnectionConfigError:  # of a bucket that is no longer allowed
                return False

        try:
            return self.manager.names_where(owner, FilesConnection.provider, reads)
        except UnavailableError as exc:  # a file can be deleted all the same
            log.warning("connections to a file could not be looked up", extra={"reason": exc.detail})
            return []

    def check_ready(self) -> None:
        """Raise UnavailableError with the reason why questions cannot be answered now, if there is one."""
        self.store.check()
        for pool in self._pools:
            pool.check(is_needed=pool is self.judges)  # each request needs those

    def count_use(self) -> dict[str, dict[tuple[str, ...], int]]:
        """Processes and connections in use: gauge -> labels -> how many."""
        processes: dict[tuple[str, ...], int] = {
            (pool.name, state): count for pool in self._pools for state, count in pool.count_use().items()
        }
        connections: dict[tuple[str, ...], int] = {(state,): count for state, count in count_connections().items()}
        return {"worker_processes": processes, "database_connections": connections}

    def warm(self) -> None:
        """Start what the first question would otherwise wait for, where there is memory for it."""
        if not self.settings.is_small:
            self.judges.warm()

    def end_idle(self) -> None:
        """End the worker processes that had nothing to do for SQLCHAT_IDLE_SECONDS."""
        for pool in self._pools:
            pool.end_idle()

    def close(self) -> None:
        """Let go of everything that is held. Safe to call twice."""
        if self.prefetcher:
            self.prefetcher.close()
        self.manager.close()
        self.providers.close()
        for pool in self._pools:
            pool.close()
        self.store.close()

    def build_demo(self) -> None:
        """Write the demo database anew and, in local mode, its connection where there is none of its name."""
        demo.build_demo(self.settings.data_dir / DEMO_FILE)
        if self.settings.auth_configured:
            return
        if DEMO not in {definition.name for definition in self.store.connections.list(LOCAL_OWNER)}:
            self.store.connections.add(LOCAL_OWNER, DEMO, "sqlite", {"database": DEMO_FILE})

    def _welcome(self) -> None:
        """Give a newcomer something to ask: once, so that a demo that was deleted stays away.

        Not where each user has connections of their own.
        """
        if self.settings.auth_configured:
            return
        with self.store.once("demo") as first:
            if first:
                self.build_demo()
