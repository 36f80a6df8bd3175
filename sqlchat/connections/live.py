"""A connection while it lives in a process: its pool, and what was read of its database. For the manager."""

from __future__ import annotations

import hashlib
import logging
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.plan import Plan
from sqlchat.connections.policies.policed import PolicedConnection
from sqlchat.connections.policies.policy import Policy, judge
from sqlchat.connections.samples import Samples, read_samples
from sqlchat.connections.ttl_cache import TtlCache
from sqlchat.errors import DatabaseUnavailableError, SqlchatError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.profiles import ColumnProfile, Path, Profiles
from sqlchat.store.connections import Definition, Privacy
from sqlchat.workers import Workers

log = logging.getLogger(__name__)

Claims = Mapping[str, Any] | None
JUDGING = 20.0
"""Seconds for holding a whole catalog, its views too, against a policy."""
PROFILING = 5.0
"""Seconds that reading profiles may take; what it did not get to by then is left out."""


class Live:
    """A connection of this process, the definition it was made from, and what was read of its catalog."""

    def __init__(self, definition: Definition, connection: Connection, settings: Settings, workers: Workers) -> None:
        """`connection` is closed once nobody holds it, or a view of it for a caller, any more."""
        self.key, self.privacy = (definition.id, definition.version), definition.privacy
        held: Connection = _Held(connection)
        ttl, policy = settings.catalog_ttl, Policy.of(definition.policy)
        # no reference to self in what follows: a cycle would keep a dropped connection open
        self.connection = reading = _policed(held, policy, ttl, workers) if policy else held
        self.catalog = TtlCache(lambda: _versioned(reading.catalog()), ttl, reading.revision)
        self._profiles = TtlCache(lambda of: Profiles(reading.profiles(of, PROFILING)), settings.profile_ttl)
        self._samples = TtlCache(lambda of: read_samples(reading, of), settings.profile_ttl)
        self._reread_at: float | None = None

    def profiles(self, catalog: Catalog, *, refresh: bool = False) -> Profiles:
        """What the columns of `catalog`, which is the newest one, hold. Raises what `Connection.profiles` raises."""
        return self._profiles.get(catalog, of=self._content(catalog), refresh=refresh)

    def samples(self, catalog: Catalog) -> Samples:
        """The first rows of its tables. Raises what `read_samples` raises."""
        return self._samples.get(catalog, of=self._content(catalog))

    def _content(self, catalog: Catalog) -> object:
        """Another one once what was read of the tables cannot hold any more."""
        return catalog.shape, self.connection.revision()

    def may_reread(self, pause: float) -> bool:
        """Whether the catalog may be read anew for a fault, `pause` seconds at least after the last time."""
        now = time.monotonic()
        if self._reread_at is not None and now - self._reread_at < pause:
            return False
        self._reread_at = now
        return True


@dataclass(frozen=True)
class Opened:
    """A connection as it answers one caller, and what is known of its database. For one request: read but once."""

    connection: Connection
    _live: Live = field(repr=False)

    @property
    def privacy(self) -> Privacy:
        """What of the data a model may be shown."""
        return self._live.privacy

    @cached_property
    def catalog(self) -> Catalog:
        """See `ConnectionManager.catalog`."""
        return self._live.catalog.get()

    @cached_property
    def profiles(self) -> Profiles:
        """See `ConnectionManager.profiles`; none where they cannot be read just now, since an answer needs none.

        Raises DatabaseUnavailableError, which an answer would not survive either.
        """
        try:
            return self._live.profiles(self.catalog)
        except DatabaseUnavailableError:
            raise
        except SqlchatError as exc:
            log.warning("profiles could not be read", extra={"reason": exc.detail})
            return Profiles()

    @cached_property
    def samples(self) -> Samples:
        """First rows of tables; none where each caller has rows of their own, since they are kept for all.

        As `profiles`, where they cannot be read just now.
        """
        if self.connection is not self._live.connection:
            return {}
        try:
            return self._live.samples(self.catalog)
        except DatabaseUnavailableError:
            raise
        except SqlchatError as exc:
            log.warning("first rows could not be read", extra={"reason": exc.detail})
            return {}


class _Held(Connection):
    """A connection that is closed when nobody holds it any more, whoever was the last.

    A view `of` another one for a caller keeps that one open.
    """

    def __init__(self, inner: Connection, of: _Held | None = None) -> None:
        self._inner, self._of = inner, of
        vars(self).update(provider=inner.provider, dialect=inner.dialect)
        if of is None:
            weakref.finalize(self, inner.close)

    def for_caller(self, claims: Claims) -> Connection:
        inner = self._inner.for_caller(claims)
        return self if inner is self._inner else _Held(inner, self)

    def revision(self) -> object:
        return self._inner.revision()

    def check(self) -> list[str]:
        return self._inner.check()

    def catalog(self) -> Catalog:
        return self._inner.catalog()

    def run(self, sql: str, *, max_rows: int, timeout: float, tag: str = "") -> Results:
        return self._inner.run(sql, max_rows=max_rows, timeout=timeout, tag=tag)

    def explain(self, sql: str, *, max_rows: int | None = None) -> Plan:
        return self._inner.explain(sql, max_rows=max_rows)

    def profiles(self, catalog: Catalog, timeout: float) -> Mapping[Path, ColumnProfile]:
        return self._inner.profiles(catalog, timeout)


def _policed(inner: Connection, policy: Policy, ttl: float, workers: Workers) -> Connection:
    judged = TtlCache(
        # a partition has a name of its own, which a policy that denies the whole table does not know
        lambda: workers.call(judge, _versioned(inner.catalog().whole_tables), policy, deadline=JUDGING),
        ttl,
        inner.revision,
    )
    return PolicedConnection(inner, lambda anew: judged.get(refresh=anew), workers)


def _versioned(catalog: Catalog) -> Catalog:
    """With a version that is the same in every process for the same content, where the database gave none."""
    if catalog.version:
        return catalog
    content = repr((catalog.tables, catalog.default_schema, sorted(catalog.functions or ())))
    return replace(catalog, version=hashlib.blake2b(content.encode(), digest_size=8).hexdigest())
