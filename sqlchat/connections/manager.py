"""The process-wide manager of connections: definitions from the store, live pools and catalogs in this process.

Whoever needs a connection asks for it anew in each request: the store then tells whether the definition is still the
one that the live connection was made from, whichever process changed it.
"""

from __future__ import annotations

import builtins
import contextlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlchat.config import Settings
from sqlchat.connections.base import Connection
from sqlchat.connections.live import Claims, Live, Opened
from sqlchat.connections.policies.policy import Policy, unseen_views
from sqlchat.connections.registry import connection_class
from sqlchat.connections.unknown import names_unknown
from sqlchat.errors import (
    ConflictError,
    ConnectionConfigError,
    ConnectionNotFoundError,
    DatabaseUnavailableError,
    DeadlineError,
    PayloadError,
    SqlchatError,
    UnauthorizedError,
)
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import Profiles
from sqlchat.store import Store
from sqlchat.store.connections import DEFAULT_PRIVACY, Changes, Definition, Privacy
from sqlchat.workers import Workers

NAME = re.compile(r"\w[\w.-]{0,62}")
NAME_RULE = "A name has 1 to 63 letters, digits, `_`, `-` or `.`, and begins with a letter, a digit or `_`."

log = logging.getLogger(__name__)

Maker = Callable[[str, Mapping[str, Any]], Connection]
"""(owner, config) -> a connection, as its class would make it of the config alone."""
REREADING = 10.0
"""Seconds between two readings of a catalog that somebody's unknown name may cause."""
State = Literal["ready", "unreachable", "unknown"]


@dataclass(frozen=True, slots=True)
class Described:
    """What may be told of a connection: nothing of its config."""

    name: str
    provider: str
    class_name: str
    dialect: str
    """sqlglot's name."""
    created_at: datetime
    state: State = "unknown"
    """`unknown` where nobody tried it."""
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

    A live connection is made at its first use after the fork, replaced when its definition changed, dropped when the
    definition is gone, and the least recently used one is dropped past `settings.max_pools`. A dropped one is closed
    once the last request that holds it has ended.

    Whoever wants to read through a connection says for which caller: `claims` are those of a verified token, None
    without one. Raises UnauthorizedError where the connection must know who asks.

    `makers` make the connections of providers that need more than a config. `wanted` is told owner and name of what
    is worth reading before somebody asks (see `ahead`): what was made or changed, and what is opened here anew.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        workers: Workers,
        makers: Mapping[str, Maker] | None = None,
        wanted: Callable[[str, str], None] = lambda owner, name: None,
    ) -> None:
        self._settings, self._store, self._workers, self._makers = settings, store, workers, makers or {}
        self._wanted = wanted
        self._live: OrderedDict[tuple[str, str], Live] = OrderedDict()
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
        held_to = Policy.of(policy)
        self._refuse_taken(owner, name)
        warnings = self._tried(owner, provider, config, held_to)
        definition = self._store.connections.add(
            owner, name, provider, dict(config), held_to.as_dict() if held_to else None, privacy=privacy
        )
        self._wanted(owner, name)
        return _described(definition, "ready", warnings)

    def change(self, owner: str, name: str, changes: Changes) -> Described:
        """Replace parts of a definition: in every process, the next request goes by the new one.

        A new config is tried first, and one that does not work changes nothing. A policy, or what a model may see,
        needs no database, so that it can be made stricter while that is away.

        Raises ConnectionNotFoundError, PayloadError (the policy), and what `Connection.check` raises of a new config.
        """
        definition = self._store.connections.get(owner, name)
        if "policy" in changes:
            held_to = Policy.of(changes["policy"])
            changes = {**changes, "policy": held_to.as_dict() if held_to else None}
        warnings = self._tried(owner, definition.provider, changes["config"]) if "config" in changes else None
        changed = self._store.connections.change(definition, changes)
        self._drop(owner, name)
        self._wanted(owner, name)
        return self.describe(owner, name) if warnings is None else _described(changed, "ready", warnings)

    def describe(self, owner: str, name: str) -> Described:
        """A connection, and whether its database can be reached now. Raises ConnectionNotFoundError, BusyError."""
        definition = self._store.connections.get(owner, name)
        try:
            return _described(definition, "ready", tuple(self._found(owner, name).connection.check()))
        except (ConnectionConfigError, DatabaseUnavailableError, DeadlineError) as exc:
            return _described(definition, "unreachable", (exc.detail,))

    def list(self, owner: str) -> list[Described]:
        """The owner's connections, by name, without touching their databases."""
        return [_described(definition) for definition in self._store.connections.list(owner)]

    def names_where(
        self, owner: str, provider: str, holds: Callable[[Mapping[str, Any]], bool]
    ) -> builtins.list[str]:
        """Names of the owner's connections of `provider` whose config `holds`, without touching their databases."""
        definitions = self._store.connections.list(owner)
        return [each.name for each in definitions if each.provider == provider and holds(each.config)]

    def delete(self, owner: str, name: str) -> None:
        """Forget a connection everywhere. Raises ConnectionNotFoundError."""
        try:
            self._store.connections.delete(owner, name)
        finally:
            self._drop(owner, name)

    def get(self, owner: str, name: str, claims: Claims = None) -> Connection:
        """The live connection, to be asked for anew in each request. Raises ConnectionNotFoundError."""
        return self._found(owner, name).connection.for_caller(claims)

    def dialect(self, owner: str, name: str) -> str:
        """sqlglot's name of the connection's dialect. Raises ConnectionNotFoundError."""
        return self._found(owner, name).connection.dialect

    def catalog(self, owner: str, name: str, claims: Claims = None, *, refresh: bool = False) -> Catalog:
        """The catalog, at most `settings.catalog_ttl` seconds old (see `TtlCache`); with `refresh`, read now.

        Raises ConnectionNotFoundError, and what `Connection.catalog` raises.
        """
        live = self._found(owner, name)
        live.connection.for_caller(claims)
        return live.catalog.get(refresh=refresh)

    def open(self, owner: str, name: str, claims: Claims = None) -> Opened:
        """The connection and all that is known of its database, for one look at the store. Raises as `get`."""
        live = self._found(owner, name)
        return Opened(live.connection.for_caller(claims), live)

    def profiles(self, owner: str, name: str, claims: Claims = None, *, refresh: bool = False) -> Profiles:
        """What the columns hold, at most `settings.profile_ttl` seconds old (see `TtlCache`); anew with other tables.

        Reading ends after 5 s, with what was read by then. Raises as `catalog`.
        """
        live = self._found(owner, name)
        live.connection.for_caller(claims)
        return live.profiles(live.catalog.get(), refresh=refresh)

    def ahead(self, owner: str, name: str) -> Iterator[tuple[Catalog, Profiles]]:
        """Read what a question would, for no caller: what is known is given after each reading.

        Nothing that only one caller may see is read, nor what may not go into a prompt; and nothing at all of a
        connection that would take the place of another, which is more likely to be asked. The catalog is not kept:
        tables may well be made right after a connection to them, and a question shall find them. What their columns
        hold is good for as long as they are what they were. Once changed or deleted, a connection is read no further.

        Raises ConnectionNotFoundError, and what the connection raises.
        """
        with self._lock:
            if (owner, name) not in self._live and len(self._live) >= self._settings.max_pools:
                return
        live = self._found(owner, name)
        catalog, profiles = live.catalog.glance(), Profiles()
        yield catalog, profiles
        if live.privacy == "schema" or self._found(owner, name) is not live:
            return
        profiles = live.profiles(catalog)
        yield catalog, profiles
        if live.privacy == "rows" and self._found(owner, name) is live:
            with contextlib.suppress(UnauthorizedError):  # each caller has rows of their own
                live.connection.for_caller(None)
                live.samples(catalog)
                yield catalog, profiles

    def refresh(self, owner: str, name: str, claims: Claims = None) -> Refreshed:
        """Read catalog and profiles now, and have every other process do so at its next use. Raises as `catalog`."""
        self._found(owner, name).connection.for_caller(claims)
        self._store.connections.touch(owner, name)
        catalog = self.catalog(owner, name, claims, refresh=True)
        self.profiles(owner, name, claims, refresh=True)
        return Refreshed(catalog.version, len(catalog.listed.tables), datetime.now(UTC))

    def stale(self, owner: str, name: str, fault: SqlchatError, claims: Claims = None) -> bool:
        """Whether a new look at the catalog may mend `fault`: it is of an unknown name, and the catalog has changed.

        Reads the catalog anew for such a fault, once in 10 s at most, so that nobody can have it read all the time.
        A catalog that cannot be read just now mends nothing. Raises as `get`.
        """
        if not names_unknown(fault):
            return False
        live = self._found(owner, name)
        live.connection.for_caller(claims)
        with self._lock:
            if not live.may_reread(REREADING):
                return False
        try:
            before = live.catalog.get().version
            return live.catalog.get(refresh=True).version != before
        except SqlchatError as exc:
            log.warning("catalog could not be read anew", extra={"connection": name, "reason": exc.detail})
            return False

    def newer(self, owner: str, name: str, fault: SqlchatError, claims: Claims = None) -> Catalog | None:
        """The catalog, read anew, where that may mend `fault` as `stale` says."""
        return self.catalog(owner, name, claims) if self.stale(owner, name, fault, claims) else None

    def close(self) -> None:
        """Drop all live connections; the next request makes its own anew."""
        with self._lock:
            dropped = list(self._live.values())
            self._live.clear()
        dropped.clear()

    def _refuse_taken(self, owner: str, name: str) -> None:
        """Before a database is tried; the store's own uniqueness decides where two come at once."""
        try:
            self._store.connections.version(owner, name)
        except ConnectionNotFoundError:
            return
        raise ConflictError(f"There is already a connection named {name!r}.")

    def _found(self, owner: str, name: str) -> Live:
        place = owner, name
        try:
            key = self._store.connections.version(owner, name)
            with self._lock:
                live = self._live.get(place)
                if live is not None and live.key == key:
                    self._live.move_to_end(place)
                    return live
            definition = self._store.connections.get(owner, name)
        except ConnectionNotFoundError:
            self._drop(owner, name)
            raise
        made = self._made(definition)
        dropped = [made]  # closed as this function ends, when the lock is free again
        with self._lock:
            live = self._live.get(place)
            if live is None or live.key != made.key:
                dropped = [live] if live else []
                self._live[place] = live = made
            self._live.move_to_end(place)
            crowded = len(self._live) > self._settings.max_pools
            while len(self._live) > self._settings.max_pools:
                dropped.append(self._live.popitem(last=False)[1])
        if live is made and not crowded:  # where they take turns, each would be read at every turn
            self._wanted(owner, name)
        return live

    def _tried(
        self, owner: str, provider: str, config: Mapping[str, Any], held_to: Policy | None = None
    ) -> tuple[str, ...]:
        """Warnings of a database that can be reached so. Raises what `Connection.check` raises."""
        connection = self._connection(owner, provider, config)
        try:
            warnings = connection.check()
            if held_to:
                warnings += unseen_views(connection.catalog())
            return tuple(warnings)
        finally:
            connection.close()

    def _made(self, definition: Definition) -> Live:
        connection = self._connection(definition.owner, definition.provider, definition.config)
        return Live(definition, connection, self._settings, self._workers)

    def _connection(self, owner: str, provider: str, config: Mapping[str, Any]) -> Connection:
        if maker := self._makers.get(provider):
            return maker(owner, config)
        return connection_class(provider)(config, self._settings, self._workers)

    def _drop(self, owner: str, name: str) -> None:
        with self._lock:
            dropped = self._live.pop((owner, name), None)
        del dropped  # after the lock: it may be what closes a pool


def _described(definition: Definition, state: State = "unknown", warnings: tuple[str, ...] = ()) -> Described:
    made_by = connection_class(definition.provider)
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
