"""Creates, finds and closes the connections of this process from definitions in the store.

Each request asks for its connection anew. The manager then compares the version of the open connection with the
store, so a change by any process takes effect with the next request.
"""

from __future__ import annotations

import builtins
import contextlib
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlchat.config import Settings
from sqlchat.connections.base import Connection
from sqlchat.connections.open_connection import Claims, OpenConnection
from sqlchat.connections.prefetch import Prefetcher
from sqlchat.connections.registry import connection_class
from sqlchat.errors import (
    ConflictError,
    ConnectionConfigError,
    ConnectionNotFoundError,
    DatabaseUnavailableError,
    DeadlineError,
    FileNotFoundInStorageError,
    PayloadError,
    SqlchatError,
    UnavailableError,
)
from sqlchat.sql.policies.policy import Policy, warn_of_unseen_views
from sqlchat.store import Store
from sqlchat.store.connections import DEFAULT_PRIVACY, Changes, Definition, Privacy
from sqlchat.workers import Workers

NAME = re.compile(r"\w[\w.-]{0,62}")
NAME_RULE = "A name has 1 to 63 letters, digits, `_`, `-` or `.`, and begins with a letter, a digit or `_`."

Maker = Callable[[str, Mapping[str, Any]], Connection]
"""(owner, config) -> a connection."""
State = Literal["ready", "unreachable", "unreadable", "unknown"]


@dataclass(frozen=True, slots=True)
class ConnectionSummary:
    """The public facts of a connection, without its config."""

    name: str
    provider: str
    class_name: str
    dialect: str
    """sqlglot's name."""
    created_at: datetime
    state: State = "unknown"
    """`unknown` if nobody tried it, `unreadable` if its config cannot be decrypted."""
    policy: Mapping[str, Any] | None = None
    privacy: Privacy = DEFAULT_PRIVACY
    warnings: tuple[str, ...] = ()
    """For example that the role may write, or why the database is unreachable."""


@dataclass(frozen=True, slots=True)
class CatalogRefresh:
    """The facts of a catalog that was just read."""

    version: str
    tables: int
    at: datetime


class ConnectionManager:
    """Makes, finds and closes connections. Safe to call from several threads; no lock is held while connecting.

    It opens a connection at its first use, replaces it if its definition changed, and drops it if the definition is
    gone. If more than `settings.max_pools` are open, it drops the least recently used one of the owner who has the
    most. A dropped connection is closed when the last request that uses it has ended.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        workers: Workers,
        *,
        judges: Workers | None = None,
        prefetcher: Prefetcher | None = None,
        makers: Mapping[str, Maker] | None = None,
    ) -> None:
        """`workers` run SQLite and DuckDB; `judges` examine SQL, by default in the same processes.

        `makers` make the connections of providers that need more than a config. `prefetcher` reads the catalogs and
        profiles of connections that are opened here.
        """
        self._settings, self._store, self._workers, self._makers = settings, store, workers, makers or {}
        self._judges, self._prefetcher = judges or workers, prefetcher
        self._open: OrderedDict[tuple[str, str], OpenConnection] = OrderedDict()
        self._lock = threading.Lock()

    def create(
        self,
        owner: str,
        provider: str,
        name: str,
        config: Mapping[str, Any],
        policy: Mapping[str, Any] | None = None,
        *,
        privacy: Privacy = DEFAULT_PRIVACY,
    ) -> ConnectionSummary:
        """Try a database and store its definition. `policy` limits SQL; `privacy` limits what a model may see.

        Raises PayloadError (the name, the policy), ProviderUnknownError, ConflictError, and the errors of
        `Connection.check`.
        """
        if not NAME.fullmatch(name):
            raise PayloadError(NAME_RULE, errors={"name": [NAME_RULE]})
        connection_class(provider)
        checked_policy = Policy.read(policy)
        self._refuse_taken(owner, name)
        warnings = self._try_config(owner, provider, config, checked_policy)
        stored_policy = checked_policy.as_dict() if checked_policy else None
        definition = self._store.connections.add(owner, name, provider, dict(config), stored_policy, privacy=privacy)
        self._prefetch(owner, name)
        return _describe(definition, "ready", warnings)

    def change(self, owner: str, name: str, changes: Changes) -> ConnectionSummary:
        """Replace parts of a definition, for the next request in every process.

        A new config is tried first; if it fails, nothing changes. A policy and the privacy can be changed while the
        database is away.

        Raises ConnectionNotFoundError, PayloadError (the policy), UnavailableError (a config that cannot be
        decrypted), and the errors of `Connection.check` for a new config.
        """
        definition = self._store.connections.find(owner, name)
        if "config" not in changes and definition.unreadable:
            raise UnavailableError(definition.unreadable)
        if "policy" in changes:
            policy = Policy.read(changes["policy"])
            changes = {**changes, "policy": policy.as_dict() if policy else None}
        warnings = self._try_config(owner, definition.provider, changes["config"]) if "config" in changes else None
        changed = self._store.connections.change(definition, changes)
        self._drop(owner, name)
        self._prefetch(owner, name)
        return self.describe(owner, name) if warnings is None else _describe(changed, "ready", warnings)

    def describe(self, owner: str, name: str) -> ConnectionSummary:
        """Describe a connection, and try its database now. Raises ConnectionNotFoundError and BusyError."""
        definition = self._store.connections.find(owner, name)
        if definition.unreadable:
            return _describe(definition)
        try:
            return _describe(definition, "ready", tuple(self._find(owner, name).check()))
        except (ConnectionConfigError, DatabaseUnavailableError, FileNotFoundInStorageError, DeadlineError) as exc:
            return _describe(definition, "unreachable", (exc.detail,))

    def list(self, owner: str) -> list[ConnectionSummary]:
        """Describe the owner's connections, by name, without their databases."""
        return [_describe(definition) for definition in self._store.connections.list(owner)]

    def names_where(
        self, owner: str, provider: str, matches: Callable[[Mapping[str, Any]], bool]
    ) -> builtins.list[str]:
        """Return the names of the owner's connections of `provider` whose config `matches`."""
        definitions = self._store.connections.list(owner)
        readable = [entry for entry in definitions if entry.provider == provider and not entry.unreadable]
        return [entry.name for entry in readable if matches(entry.config)]

    def delete(self, owner: str, name: str) -> None:
        """Delete a definition, and drop its connection. Raises ConnectionNotFoundError."""
        try:
            self._store.connections.delete(owner, name)
        finally:
            self._drop(owner, name)

    def open(self, owner: str, name: str, claims: Claims = None) -> OpenConnection:
        """Return the connection for one request; `claims` come from the caller's verified token, None without one.

        Raises ConnectionNotFoundError, and UnauthorizedError if the connection needs to know its caller.
        """
        return self._find(owner, name).for_caller(claims)

    def dialect(self, owner: str, name: str) -> str:
        """Return sqlglot's name of the connection's dialect. Raises ConnectionNotFoundError."""
        return self._find(owner, name).dialect

    def refresh(self, owner: str, name: str, claims: Claims = None) -> CatalogRefresh:
        """Read catalog and profiles now; every other process reads them at its next use.

        Raises the errors of `open` and of `Connection.catalog`.
        """
        self.open(owner, name, claims)
        self._store.connections.touch(owner, name)
        connection = self.open(owner, name, claims)
        catalog = connection.read_catalog()
        connection.read_profiles(refresh=True)
        return CatalogRefresh(catalog.version, len(catalog.listed.tables), datetime.now(UTC))

    def close(self) -> None:
        """Drop all open connections; later requests open new ones."""
        with self._lock:
            dropped = list(self._open.values())
            self._open.clear()
        _mark_dropped(dropped)

    def _refuse_taken(self, owner: str, name: str) -> None:
        """Raise ConflictError early, before a database is tried; the store's unique names decide in the end."""
        try:
            self._store.connections.version(owner, name)
        except ConnectionNotFoundError:
            return
        raise ConflictError(f"There is already a connection named {name!r}.")

    def _find(self, owner: str, name: str) -> OpenConnection:
        """Return the open connection if it has the stored version, else open it. Raises ConnectionNotFoundError."""
        place = owner, name
        try:
            key = self._store.connections.version(owner, name)
            with self._lock:
                current = self._open.get(place)
                if current is not None and current.key == key:
                    self._open.move_to_end(place)
                    return current
            definition = self._store.connections.get(owner, name)
        except ConnectionNotFoundError:
            self._drop(owner, name)
            raise
        opened = self._open_connection(definition)
        dropped = [opened]  # unless it takes its place below; closed when the lock is free
        with self._lock:
            current = self._open.get(place)
            if current is None or current.key != opened.key:
                dropped = [current] if current else []
                self._open[place] = current = opened
            self._open.move_to_end(place)
            is_crowded = len(self._open) > self._settings.max_pools
            while len(self._open) > self._settings.max_pools:
                dropped.append(self._open.pop(self._choose_dropped()))
        _mark_dropped(dropped)
        # in a full table, connections that take turns would be read at every turn
        if current is opened and not is_crowded and self._prefetcher:
            self._prefetcher.want(opened)
        return current

    def _choose_dropped(self) -> tuple[str, str]:
        """Return the place of the least recently used connection of the owner who has the most."""
        counts = Counter(owner for owner, _ in self._open)
        most = max(counts.values())
        return next(place for place in self._open if counts[place[0]] == most)

    def _prefetch(self, owner: str, name: str) -> None:
        """Open a connection that was just made or changed, unless another one would be dropped for it."""
        with self._lock:
            is_full = (owner, name) not in self._open and len(self._open) >= self._settings.max_pools
        if self._prefetcher and not is_full:
            with contextlib.suppress(SqlchatError):  # the next question gets the same error
                self._find(owner, name)

    def _try_config(
        self, owner: str, provider: str, config: Mapping[str, Any], policy: Policy | None = None
    ) -> tuple[str, ...]:
        """Return the warnings of a database with that config. Raises the errors of `Connection.check`."""
        connection = self._make_driver(owner, provider, config)
        try:
            warnings = connection.check()
            if policy:
                warnings += warn_of_unseen_views(connection.catalog())
            return tuple(warnings)
        except SqlchatError as exc:
            exc.place = exc.place or connection.place
            raise
        finally:
            connection.close()

    def _open_connection(self, definition: Definition) -> OpenConnection:
        return OpenConnection(
            self._make_driver(definition.owner, definition.provider, definition.config),
            self._settings,
            self._judges.for_owner(definition.owner),
            policy=Policy.read(definition.policy),
            privacy=definition.privacy,
            key=(definition.id, definition.version),
            name=definition.name,
        )

    def _make_driver(self, owner: str, provider: str, config: Mapping[str, Any]) -> Connection:
        if maker := self._makers.get(provider):
            return maker(owner, config)
        return connection_class(provider)(config, self._settings, self._workers.for_owner(owner))

    def _drop(self, owner: str, name: str) -> None:
        with self._lock:
            dropped = self._open.pop((owner, name), None)
        _mark_dropped([dropped] if dropped else [])


def _mark_dropped(connections: builtins.list[OpenConnection]) -> None:
    """Mark connections as dropped. Call it without the lock: it may close a pool."""
    for connection in connections:
        connection.is_dropped = True


def _describe(definition: Definition, state: State = "unknown", warnings: tuple[str, ...] = ()) -> ConnectionSummary:
    driver = connection_class(definition.provider)
    if definition.unreadable:
        state, warnings = "unreadable", (definition.unreadable,)
    return ConnectionSummary(
        definition.name,
        definition.provider,
        driver.__name__,
        driver.dialect,
        definition.created_at,
        state,
        definition.policy,
        definition.privacy,
        warnings,
    )
