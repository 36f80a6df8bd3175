"""The process-wide manager of connections: definitions from the store, live pools and catalogs in this process.

Whoever needs a connection asks for it anew in each request: the store then tells whether the definition is still the
one that the open connection was made from, whichever process changed it.
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
"""(owner, config) -> a connection, as its class would make it of the config alone."""
State = Literal["ready", "unreachable", "unreadable", "unknown"]


@dataclass(frozen=True, slots=True)
class Described:
    """The public facts of a connection: nothing of its config."""

    name: str
    provider: str
    class_name: str
    dialect: str
    """sqlglot's name."""
    created_at: datetime
    state: State = "unknown"
    """`unknown` where nobody tried it, `unreadable` where its config cannot be decrypted."""
    policy: Mapping[str, Any] | None = None
    privacy: Privacy = DEFAULT_PRIVACY
    warnings: tuple[str, ...] = ()
    """Such as a role that may write; or why the database is unreachable."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A catalog that was just read."""

    version: str
    tables: int
    at: datetime


class ConnectionManager:
    """Makes, finds and closes connections. Safe to call from several threads; no lock is held while connecting.

    A connection is opened at its first use after the fork, replaced when its definition changed, dropped when the
    definition is gone. Past `settings.max_pools`, the least recently used one of the owner who has the most is
    dropped. A dropped one is closed when the last request that holds it has ended.
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
        """`workers` are the processes that run SQLite and DuckDB, `judges` those that examine SQL: by default the
        same. `makers` make the connections of providers that need more than a config. `prefetcher` reads what is
        opened here anew.
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
    ) -> Described:
        """Try a database and keep its definition, with a policy on what SQL may read and what a model may see.

        Raises PayloadError (the name, the policy), ProviderUnknownError, ConflictError, and what `Connection.check`
        raises.
        """
        if not NAME.fullmatch(name):
            raise PayloadError(NAME_RULE, errors={"name": [NAME_RULE]})
        connection_class(provider)
        held_to = Policy.read(policy)
        self._refuse_taken(owner, name)
        warnings = self._try_config(owner, provider, config, held_to)
        definition = self._store.connections.add(
            owner, name, provider, dict(config), held_to.as_dict() if held_to else None, privacy=privacy
        )
        self._prefetch(owner, name)
        return _described(definition, "ready", warnings)

    def change(self, owner: str, name: str, changes: Changes) -> Described:
        """Replace parts of a definition: in every process, the next request goes by the new one.

        A new config is tried first, and one that does not work changes nothing. A policy, or what a model may see,
        needs no database, so that it can be made stricter while that is away.

        Raises ConnectionNotFoundError, PayloadError (the policy), and what `Connection.check` raises of a new config.
        """
        definition = self._store.connections.find(owner, name)
        if "config" not in changes and definition.unreadable:
            raise UnavailableError(definition.unreadable)
        if "policy" in changes:
            held_to = Policy.read(changes["policy"])
            changes = {**changes, "policy": held_to.as_dict() if held_to else None}
        warnings = self._try_config(owner, definition.provider, changes["config"]) if "config" in changes else None
        changed = self._store.connections.change(definition, changes)
        self._drop(owner, name)
        self._prefetch(owner, name)
        return self.describe(owner, name) if warnings is None else _described(changed, "ready", warnings)

    def describe(self, owner: str, name: str) -> Described:
        """A connection, and whether its database can be reached now. Raises ConnectionNotFoundError, BusyError."""
        definition = self._store.connections.find(owner, name)
        if definition.unreadable:
            return _described(definition)
        try:
            return _described(definition, "ready", tuple(self._find(owner, name).check()))
        except (ConnectionConfigError, DatabaseUnavailableError, FileNotFoundInStorageError, DeadlineError) as exc:
            return _described(definition, "unreachable", (exc.detail,))

    def list(self, owner: str) -> list[Described]:
        """The owner's connections, by name, without touching their databases."""
        return [_described(definition) for definition in self._store.connections.list(owner)]

    def names_where(
        self, owner: str, provider: str, holds: Callable[[Mapping[str, Any]], bool]
    ) -> builtins.list[str]:
        """Names of the owner's connections of `provider` whose config `holds`, without touching their databases."""
        definitions = self._store.connections.list(owner)
        readable = [each for each in definitions if each.provider == provider and not each.unreadable]
        return [each.name for each in readable if holds(each.config)]

    def delete(self, owner: str, name: str) -> None:
        """Forget a connection everywhere. Raises ConnectionNotFoundError."""
        try:
            self._store.connections.delete(owner, name)
        finally:
            self._drop(owner, name)

    def open(self, owner: str, name: str, claims: Claims = None) -> OpenConnection:
        """The connection for one request of a caller; `claims` are those of a verified token, None without one.

        Raises ConnectionNotFoundError, and UnauthorizedError where the connection must know who asks.
        """
        return self._find(owner, name).for_caller(claims)

    def dialect(self, owner: str, name: str) -> str:
        """sqlglot's name of the connection's dialect. Raises ConnectionNotFoundError."""
        return self._find(owner, name).dialect

    def refresh(self, owner: str, name: str, claims: Claims = None) -> Refreshed:
        """Read catalog and profiles now, and have every other process do so at its next use.

        Raises as `open`, and what `Connection.catalog` raises.
        """
        self.open(owner, name, claims)
        self._store.connections.touch(owner, name)
        connection = self.open(owner, name, claims)
        catalog = connection.read_catalog()
        connection.read_profiles(refresh=True)
        return Refreshed(catalog.version, len(catalog.listed.tables), datetime.now(UTC))

    def close(self) -> None:
        """Drop all open connections; the next request opens its own anew."""
        with self._lock:
            dropped = list(self._open.values())
            self._open.clear()
        _mark_dropped(dropped)

    def _refuse_taken(self, owner: str, name: str) -> None:
        """Before a database is tried; the store's own uniqueness decides where two come at once."""
        try:
            self._store.connections.version(owner, name)
        except ConnectionNotFoundError:
            return
        raise ConflictError(f"There is already a connection named {name!r}.")

    def _find(self, owner: str, name: str) -> OpenConnection:
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
        opened = self._open_anew(definition)
        dropped = [opened]  # closed as this function ends, when the lock is free again
        with self._lock:
            current = self._open.get(place)
            if current is None or current.key != opened.key:
                dropped = [current] if current else []
                self._open[place] = current = opened
            self._open.move_to_end(place)
            crowded = len(self._open) > self._settings.max_pools
            while len(self._open) > self._settings.max_pools:
                dropped.append(self._open.pop(self._choose_dropped()))
        _mark_dropped(dropped)
        # Connections that take turns in a full table would be read at every turn.
        if current is opened and not crowded and self._prefetcher:
            self._prefetcher.want(opened)
        return current

    def _choose_dropped(self) -> tuple[str, str]:
        """The place of the connection that was not used for longest, of an owner who has the most open ones."""
        counts = Counter(owner for owner, _ in self._open)
        most = max(counts.values())
        return next(place for place in self._open if counts[place[0]] == most)

    def _prefetch(self, owner: str, name: str) -> None:
        """Open a connection that was just made or changed, unless it would take the place of one that is in use."""
        with self._lock:
            is_full = (owner, name) not in self._open and len(self._open) >= self._settings.max_pools
        if self._prefetcher and not is_full:
            with contextlib.suppress(SqlchatError):  # the question that comes tells it
                self._find(owner, name)

    def _try_config(
        self, owner: str, provider: str, config: Mapping[str, Any], policy: Policy | None = None
    ) -> tuple[str, ...]:
        """Warnings of a database that can be reached so. Raises what `Connection.check` raises."""
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

    def _open_anew(self, definition: Definition) -> OpenConnection:
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
        _mark_dropped([dropped] if dropped else [])  # after the lock: it may be what closes a pool


def _mark_dropped(connections: builtins.list[OpenConnection]) -> None:
    for each in connections:
        each.is_dropped = True


def _described(definition: Definition, state: State = "unknown", warnings: tuple[str, ...] = ()) -> Described:
    made_by = connection_class(definition.provider)
    if definition.unreadable:
        state, warnings = "unreadable", (definition.unreadable,)
    return Described(
        definition.name,
        definition.provider,
        made_by.__name__,
        made_by.dialect,
        definition.created_at,
        state,
        definition.policy,
        definition.privacy,
        warnings,
    )
