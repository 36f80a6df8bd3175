"""A connection that is open in this process: the one way by which SQL reaches a user's database.

The driver's connection is private to it. What runs is an `Examination`, which only `examine` makes: so no text runs
that the guard, and the connection's policy, have not let pass.
"""

from __future__ import annotations

import hashlib
import logging
import time
import weakref
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlchat.config import Settings
from sqlchat.connections.base import Connection, Results
from sqlchat.connections.lru_cache import LruCache
from sqlchat.connections.plan import Plan
from sqlchat.connections.samples import Samples, read_samples
from sqlchat.connections.streams import UNLIMITED
from sqlchat.connections.ttl_cache import TtlCache
from sqlchat.errors import (
    CatalogChangedError,
    DatabaseUnavailableError,
    DeadlineError,
    SqlchatError,
    SQLRefusedError,
    TooLargeError,
    UnknownNameError,
)
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.examine import Examination, examine
from sqlchat.sql.names import explain_unknown, find_unknown_names
from sqlchat.sql.policies.hidden_names import HiddenNames, find_hidden_names
from sqlchat.sql.policies.policy import PolicedCatalog, Policy, apply_policy
from sqlchat.sql.profiles import Profiles
from sqlchat.store.connections import DEFAULT_PRIVACY, Privacy
from sqlchat.workers import Workers

if TYPE_CHECKING:
    from sqlchat.connections.streams import Stream

log = logging.getLogger(__name__)

T = TypeVar("T")
Claims = Mapping[str, Any] | None
EXAMINING = 4.0
"""Seconds of CPU time for one text. Parsing can itself be the attack; any honest text takes some milliseconds."""
JUDGING = 20.0
"""Seconds of CPU time for holding a whole catalog, its views too, against a policy."""
PROFILING = 5.0
"""Seconds that reading profiles may take; what it did not get to by then is left out."""
MOST_EXAMINATIONS, MOST_EXAMINED = 500, 2_000_000
"""Examinations that are kept for a catalog, and their characters together."""
REREADING = 10.0
"""Seconds between two readings of a catalog that somebody's unknown name may cause."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A catalog as it was read, and what was examined for it: a new reading begins without any examination."""

    whole: Catalog
    visible: Catalog
    """Without what the connection's policy denies."""
    judged: PolicedCatalog | None
    """The whole of it under the policy; None without one."""
    hidden: HiddenNames = HiddenNames()
    """The names that the policy takes out of it."""
    examinations: LruCache[Examination] = field(
        default_factory=partial(LruCache, MOST_EXAMINATIONS, MOST_EXAMINED), repr=False
    )
    """By the text that was examined. They depend on nothing but the text, the catalog and the policy."""


class OpenConnection:
    """A user's database under its policy and limits, and what was read of it. Safe to use from several threads.

    `for_caller` gives a view of it for one request. All views share the driver's pool and what was read; a view keeps
    the catalog that it saw first. The driver's connection is closed when neither the connection nor a view of it is
    held any more.

    What touches the database raises DatabaseUnavailableError, BusyError, QueryError, QueryTimeoutError and
    ConnectionConfigError, as `Connection` says.
    """

    def __init__(
        self,
        driver: Connection,
        settings: Settings,
        judges: Workers,
        *,
        policy: Policy | None = None,
        privacy: Privacy = DEFAULT_PRIVACY,
        key: object = None,
        name: str = "",
    ) -> None:
        """`judges` are the worker processes that examine SQL; `key` tells this version of the definition."""
        self.key, self.name, self.privacy, self.dialect = key, name, privacy, driver.dialect
        self._driver, self._settings, self._judges = driver, settings, judges
        self.is_dropped = False
        """Whether its definition changed or went, or another connection took its place."""
        self._viewed: OpenConnection | None = None
        self._is_shared = True
        self._reread_at = [float("-inf")]
        self._earlier: set[str] = set()
        """Versions of the catalog that this view had before it read the present one."""
        weakref.finalize(self, driver.close)
        # No reference to self in what follows: a cycle would keep a dropped connection open.
        self._reading = TtlCache(lambda: _read(driver, policy, judges), settings.catalog_ttl, driver.revision)
        self._profiles = TtlCache(
            lambda of: Profiles(_only_of(of, driver.profiles(of, PROFILING))), settings.profile_ttl
        )
        self._samples = TtlCache(lambda of: read_samples(driver, of), settings.profile_ttl)

    def for_caller(self, claims: Claims) -> OpenConnection:
        """A view as the caller sees it whose verified token holds `claims`; None without a token.

        Raises UnauthorizedError where it must be known who asks.
        """
        view = copy(self)
        view._viewed = self._viewed or self  # keeps the driver's connection open
        view._driver = self._driver.for_caller(claims)
        view._is_shared = view._driver is self._driver
        view._earlier = set()
        for name in ("_known", "profiles", "samples"):
            vars(view).pop(name, None)
        return view

    @property
    def catalog(self) -> Catalog:
        """The tables that SQL may read, at most `settings.catalog_ttl` seconds old when this view first saw it."""
        return self._known.visible

    @property
    def hidden_names(self) -> HiddenNames:
        """The names that the policy takes out of `catalog`."""
        return self._known.hidden

    @cached_property
    def _known(self) -> Reading:
        return self._reading.get()

    def read_catalog(self) -> Catalog:
        """The catalog, read from the database now, for this view and for all that come."""
        if "_known" in vars(self):
            self._earlier.add(self._known.visible.version)
        self._known = self._reading.get(refresh=True)
        return self.catalog

    def glance_at_catalog(self) -> Catalog:
        """The catalog that is kept or just being read; else one that is read now and kept for nobody."""
        return self._reading.glance().visible

    def reread_catalog(self, fault: SqlchatError) -> bool:
        """Whether a new look at the catalog may mend `fault`: it is of an unknown name, and the catalog has changed.

        Reads the catalog anew for such a fault, once in 10 s at most, so that nobody can have it read all the time.
        A catalog that cannot be read just now mends nothing.
        """
        now = time.monotonic()
        if not isinstance(fault, UnknownNameError) or now - self._reread_at[0] < REREADING:
            return False
        self._reread_at[0] = now
        try:
            before = self._reading.get().visible.version
            return self.read_catalog().version != before
        except SqlchatError as exc:
            log.warning("catalog could not be read anew", extra={"connection": self.name, "reason": exc.detail})
            return False

    def read_profiles(self, *, refresh: bool = False, catalog: Catalog | None = None) -> Profiles:
        """The columns' profiles, at most `settings.profile_ttl` seconds old; anew with `refresh` or other tables.

        Reading ends after 5 s, with what was read by then. `catalog` is one that was just read, in place of the
        view's own.
        """
        catalog = self.catalog if catalog is None else catalog
        return self._profiles.get(catalog, of=self._content(catalog), refresh=refresh)

    def read_samples(self, *, catalog: Catalog | None = None) -> Samples:
        """The first rows of the tables; none where each caller has rows of their own, since they are kept for all."""
        if not self._is_shared:
            return {}
        catalog = self.catalog if catalog is None else catalog
        return self._samples.get(catalog, of=self._content(catalog))

    @cached_property
    def profiles(self) -> Profiles:
        """See `read_profiles`; none where they cannot be read just now, since an answer needs none.

        Raises DatabaseUnavailableError, which an answer would not survive either.
        """
        return _read_or_leave(self.read_profiles, Profiles(), "profiles")

    @cached_property
    def samples(self) -> Samples:
        """See `read_samples`; none where they cannot be read just now, as with `profiles`."""
        return _read_or_leave(self.read_samples, {}, "first rows")

    def check(self) -> list[str]:
        """Try the connection; gives warnings for its status. Raises what `Connection.check` raises."""
        return self._driver.check()

    def examine(self, sql: str) -> Examination:
        """Look at `sql`: without this, nothing runs. The same text is looked at once for each reading of the catalog.

        Raises SQLRefusedError for what the guard or the policy does not allow, UnknownNameError if that hangs on a
        name which the catalog does not hold, SQLSyntaxError, and BusyError.
        """
        try:
            return self._examine(sql)
        except SQLRefusedError as exc:
            denied = exc.facts.get("denied_table")  # by a policy; one that was made since counts as denied, too
            missing = [denied] if denied else exc.facts.get("unknown_names")
            if not missing:
                raise
            unknown = UnknownNameError(exc.detail, unknown_names=missing)
            if denied and not self.reread_catalog(unknown):
                raise
        if denied or self.reread_catalog(unknown):
            return self._examine(sql)
        names = self._judges.call(find_unknown_names, sql, self.catalog.mentioned_in(sql), deadline=EXAMINING)
        raise explain_unknown(names, self.catalog) or unknown

    def explain(self, examined: Examination, *, max_rows: int | None = None) -> Plan:
        """Let the database plan a query that is plannable, to run for `max_rows` rows.

        Raises QueryError with the fault that the database finds, and SQLRefusedError for a plan above
        SQLCHAT_MAX_PLAN_COST.
        """
        return self._ask(examined, lambda driver: self._explain(driver, examined.sql, self._limit(max_rows)))

    def run(
        self, examined: Examination, *, max_rows: int | None = None, tag: str = "", is_planned: bool = False
    ) -> Results:
        """Run what was examined, within the settings' limits: `max_rows` rows, or as many as they say.

        `is_planned` says that `explain` has already let this query pass. `tag` is a request's id, which the
        database's administrator sees. Raises what `explain` and `Connection.run` raise.
        """
        limit = self._limit(max_rows)

        def run(driver: Connection) -> Results:
            self._admit(driver, examined, limit, is_planned)
            return driver.run(examined.sql, max_rows=limit, timeout=self._settings.statement_timeout, tag=tag)

        return self._ask(examined, run)

    def stream(self, examined: Examination, *, max_rows: int | None = None, tag: str = "") -> Stream:
        """Run what was examined and give the rows as they come: `max_rows`, or SQLCHAT_MAX_EXPORT_ROWS, or all.

        The statement timeout limits the time in which no row comes. Raises what `run` raises.
        """
        limit = min(max_rows or UNLIMITED, self._settings.max_export_rows or UNLIMITED)

        def open_stream(driver: Connection) -> Stream:
            self._admit(driver, examined, limit, is_planned=False)
            idle = self._settings.statement_timeout
            return driver.stream(examined.sql, max_rows=limit, idle=idle, tag=tag)

        stream = self._ask(examined, open_stream)
        stream.declare_scales(examined.scales)
        stream.held = self
        return stream

    def _ask(self, examined: Examination, act: Callable[[Connection], T]) -> T:
        """Return `act(driver)`, after `examined` holds for the catalog as it is now.

        If the database has changed its functions since, the catalog is read and the SQL examined anew, once.
        """
        if examined.catalog_version != self.catalog.version:
            if examined.catalog_version not in self._earlier:
                raise ValueError("This SQL was examined for another connection.")
            examined = self._examine(examined.sql)
        try:
            return act(self._expect(examined))
        except CatalogChangedError:
            self.read_catalog()
        return act(self._expect(self._examine(examined.sql)))

    def _expect(self, examined: Examination) -> Connection:
        """The driver's connection as it runs what was examined, for the catalog as it was read."""
        known = self._known
        tables = known.whole.list_read(examined.sql)
        is_plain = examined.is_plain and known.judged is None
        is_all = not examined.unknown and len(tables) >= len(examined.lineage.tables_read)
        return self._driver.expecting(known.visible, tables, is_plain=is_plain, is_all=is_all)

    def _admit(self, driver: Connection, examined: Examination, limit: int, is_planned: bool) -> None:
        """Raise what `explain` raises, unless `is_planned` says that it has let this query pass."""
        if self._settings.max_plan_cost:
            if examined.analyzed:
                self._explain(driver, examined.analyzed, limit)
            elif examined.is_plannable and not is_planned:
                self._explain(driver, examined.sql, limit)

    def _examine(self, sql: str) -> Examination:
        known = self._known
        if kept := known.examinations.get(sql):
            return kept
        part = None if known.judged is None else known.judged.select_part(sql)
        try:
            examined = self._judges.call(examine, sql, known.visible.mentioned_in(sql), part, deadline=EXAMINING)
        except (DeadlineError, TooLargeError) as exc:
            raise SQLRefusedError("This SQL is too costly to judge; write it with less nesting.") from exc
        known.examinations.put(sql, examined)
        return examined

    def _explain(self, driver: Connection, sql: str, limit: int) -> Plan:
        plan = driver.explain(sql, max_rows=limit)
        plan.hold_to(self._settings.max_plan_cost)
        return plan

    def _limit(self, asked: int | None) -> int:
        wanted = self._settings.max_rows if asked is None else asked
        return max(0, min(wanted, self._settings.max_rows_ceiling))

    def _content(self, catalog: Catalog) -> object:
        """Changes when kept profiles and first rows became invalid."""
        return catalog.shape, self._driver.revision()


def _read(driver: Connection, policy: Policy | None, judges: Workers) -> Reading:
    catalog = _with_version(driver.catalog())
    if policy is None:
        return Reading(catalog, catalog, None)
    # A partition has a name of its own, which a policy that denies the whole table does not know.
    judged = judges.call(apply_policy, catalog.whole_tables, policy, deadline=JUDGING)
    return Reading(catalog, judged.visible, judged, find_hidden_names(judged.full, judged.visible))


def _read_or_leave(read: Callable[[], T], none: T, name: str) -> T:
    try:
        return read()
    except DatabaseUnavailableError:
        raise
    except SqlchatError as exc:
        log.warning("%s could not be read", name, extra={"reason": exc.detail})
        return none


def _with_version(catalog: Catalog) -> Catalog:
    """With a version that is the same in every process for the same content, if the database gave none."""
    if catalog.version:
        return catalog
    content = repr((catalog.tables, catalog.default_schema, sorted(catalog.functions or ()), catalog.own))
    return replace(catalog, version=hashlib.blake2b(content.encode(), digest_size=8).hexdigest())


def _only_of(catalog: Catalog, profiles: Mapping[Any, Any]) -> dict[Any, Any]:
    """`profiles` of the columns in `catalog` alone."""
    paths = {(table.schema, table.name, column.name) for table in catalog.tables for column in table.columns}
    return {path: each for path, each in profiles.items() if path in paths}
