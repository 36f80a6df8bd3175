"""A connection that is open in this process: the one way by which SQL reaches a user's database.

The driver's connection is private to it. It runs only an `Examination`, which only `examine` makes, so the guard and
the connection's policy have let pass every text that runs.
"""

from __future__ import annotations

import hashlib
import logging
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlchat.config import Settings
from sqlchat.connections.base import Connection
from sqlchat.connections.lru_cache import LruCache
from sqlchat.connections.plan import Plan
from sqlchat.connections.results import Results
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
from sqlchat.sql.lexer import check_text
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
class CatalogReading:
    """A catalog as it was read, and the SQL that was examined for it: a new reading has no examination yet."""

    whole: Catalog
    visible: Catalog
    """Without the tables and columns that the connection's policy denies."""
    policed: PolicedCatalog | None
    """The whole catalog under the policy; None without one."""
    hidden: HiddenNames = HiddenNames()
    """The names that the policy removes."""
    examinations: LruCache[Examination] = field(
        default_factory=partial(LruCache, MOST_EXAMINATIONS, MOST_EXAMINED), repr=False
    )
    """By the text that was examined. They depend on nothing but the text, the catalog and the policy."""
    drivers: LruCache[Connection] = field(
        default_factory=partial(LruCache, MOST_EXAMINATIONS, MOST_EXAMINED), repr=False
    )
    """By the same texts, what runs them for callers without rows of their own."""


class OpenConnection:
    """A user's database under its policy and limits, with its catalog and profiles. Safe to use from several threads.

    `for_caller` returns a view for one request. All views share the driver's pool, catalog and profiles; a view keeps
    the catalog that it saw first. The driver's connection is closed when nothing refers to the connection or a view.

    Methods that use the database raise the errors of `Connection`.
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
        """`judges` are the worker processes that examine SQL; `key` names this version of the definition."""
        self.key, self.name, self.privacy, self.dialect = key, name, privacy, driver.dialect
        self._driver, self._settings, self._judges = driver, settings, judges
        self.is_dropped = False
        """Whether its definition changed or went, or another connection took its place."""
        self._origin: OpenConnection | None = None
        self._is_shared = True
        self._reread_at = [float("-inf")]
        self._earlier_versions: set[str] = set()
        """Versions of the catalog that this view had before it read the present one."""
        weakref.finalize(self, driver.close)
        # No reference to self in what follows: a cycle would keep a dropped connection open.
        self._reading = TtlCache(lambda: _read(driver, policy, judges), settings.catalog_ttl, driver.revision)
        self._profiles = TtlCache(
            lambda of: Profiles(_only_of(of, driver.profiles(of, PROFILING))), settings.profile_ttl
        )
        self._samples = TtlCache(lambda of: read_samples(driver, of), settings.profile_ttl)

    def for_caller(self, claims: Claims) -> OpenConnection:
        """Return a view for the caller whose verified token has `claims`; None without a token.

        Raises UnauthorizedError if the connection needs to know its caller.
        """
        view = object.__new__(OpenConnection)
        vars(view).update(vars(self))
        view._origin = self._origin or self  # keeps the driver's connection open
        view._driver = self._driver.for_caller(claims)
        view._is_shared = view._driver is self._driver
        view._earlier_versions = set()
        for name in ("_present", "profiles", "samples"):
            vars(view).pop(name, None)
        return view

    @property
    def catalog(self) -> Catalog:
        """The tables that SQL may read, at most `settings.catalog_ttl` seconds old when this view first saw it."""
        return self._present.visible

    @property
    def hidden_names(self) -> HiddenNames:
        """The names that the policy takes out of `catalog`."""
        return self._present.hidden

    @cached_property
    def _present(self) -> CatalogReading:
        return self._reading.get()

    def read_catalog(self) -> Catalog:
        """Read the catalog from the database now, for this view and all later ones."""
        if "_present" in vars(self):
            self._earlier_versions.add(self._present.visible.version)
        self._present = self._reading.get(refresh=True)
        return self.catalog

    def glance_at_catalog(self) -> Catalog:
        """Return the cached catalog, or the one that is just being read; else read one and do not keep it."""
        return self._reading.glance().visible

    def reread_catalog(self, fault: SqlchatError) -> bool:
        """Read the catalog anew if `fault` is an unknown name; return whether it changed, which may mend the fault.

        Reads it once in 10 s at most, so that no caller can cause constant reading. False if it cannot be read now.
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
        """Return the columns' profiles, at most `settings.profile_ttl` seconds old; anew with `refresh`.

        Other tables, too, are read anew, for 5 s; later columns are left out. `catalog` replaces the view's own.
        """
        catalog = self.catalog if catalog is None else catalog
        return self._profiles.get(catalog, of=self._content(catalog), refresh=refresh)

    def read_samples(self, *, catalog: Catalog | None = None) -> Samples:
        """Return the first rows of the tables; none if each caller has rows of their own, since all share them."""
        if not self._is_shared:
            return {}
        catalog = self.catalog if catalog is None else catalog
        return self._samples.get(catalog, of=self._content(catalog))

    @cached_property
    def profiles(self) -> Profiles:
        """See `read_profiles`; empty if they cannot be read now, since an answer does not need them.

        Raises DatabaseUnavailableError, since no answer is possible then.
        """
        return _read_or_leave(self.read_profiles, Profiles(), "profiles")

    @cached_property
    def samples(self) -> Samples:
        """See `read_samples`; empty if they cannot be read now, as with `profiles`."""
        return _read_or_leave(self.read_samples, {}, "first rows")

    def check(self) -> list[str]:
        """Try the connection, and return warnings for its status. Raises the errors of `Connection.check`."""
        return self._driver.check()

    def examine(self, sql: str) -> Examination:
        """Examine `sql`, once for each reading of the catalog. Without this, nothing runs.

        Raises SQLRefusedError if the guard or the policy refuses it, UnknownNameError if the cause is a name that the
        catalog lacks, SQLSyntaxError, and BusyError.
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
        """Let the database plan a query (`is_plannable`), to run for `max_rows` rows.

        Raises QueryError if the database refuses it, and SQLRefusedError for a plan above SQLCHAT_MAX_PLAN_COST.
        """
        return self._ask(examined, lambda driver: self._explain(driver, examined.sql, self._limit(max_rows)))

    def run(
        self, examined: Examination, *, max_rows: int | None = None, tag: str = "", is_planned: bool = False
    ) -> Results:
        """Run the examined SQL within the settings' limits; return `max_rows` rows, or the default number.

        `is_planned`: `explain` has already let this query pass. `tag` is a request's id, which the database's
        administrator sees. Raises the errors of `explain` and `Connection.run`.
        """
        limit = self._limit(max_rows)

        def run(driver: Connection) -> Results:
            self._admit(driver, examined, limit, is_planned)
            return driver.run(examined.sql, max_rows=limit, timeout=self._settings.statement_timeout, tag=tag)

        return self._ask(examined, run)

    def stream(self, examined: Examination, *, max_rows: int | None = None, tag: str = "") -> Stream:
        """Run the examined SQL and stream its rows: `max_rows`, or SQLCHAT_MAX_EXPORT_ROWS, or all.

        The statement timeout limits the time without a row. Raises the errors of `run`.
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
        """Return `act(driver)`, with `examined` made for the present catalog.

        If the database's definitions have changed since, the catalog is read and the SQL examined again, once.
        """
        if examined.catalog_version != self.catalog.version:
            if examined.catalog_version not in self._earlier_versions:
                raise ValueError("This SQL was examined for another connection.")
            examined = self._examine(examined.sql)
        try:
            return act(self._expect(examined))
        except CatalogChangedError:
            self.read_catalog()
        return act(self._expect(self._examine(examined.sql)))

    def _expect(self, examined: Examination) -> Connection:
        """Return the driver's connection for this SQL, which it runs only if the catalog has not changed."""
        present = self._present
        if self._is_shared and (driver := present.drivers.get(examined.sql)):
            return driver
        tables = present.whole.list_read(examined.sql)
        is_plain = examined.is_plain and present.policed is None
        is_all = not examined.unknown and len(tables) >= len(examined.lineage.tables_read)
        driver = self._driver.expecting(present.visible, tables, is_plain=is_plain, is_all=is_all)
        if self._is_shared:
            present.drivers.put(examined.sql, driver)
        return driver

    def _admit(self, driver: Connection, examined: Examination, limit: int, is_planned: bool) -> None:
        """Raise the errors of `explain`, unless it has already let this query pass."""
        if self._settings.max_plan_cost:
            if examined.analyzed:
                self._explain(driver, examined.analyzed, limit)
            elif examined.is_plannable and not is_planned:
                self._explain(driver, examined.sql, limit)

    def _examine(self, sql: str) -> Examination:
        check_text(sql)  # first, since all that follows takes time with the length
        present = self._present
        if kept := present.examinations.get(sql):
            return kept
        part = None if present.policed is None else present.policed.select_part(sql)
        try:
            examined = self._judges.call(examine, sql, present.visible.mentioned_in(sql), part, deadline=EXAMINING)
        except (DeadlineError, TooLargeError) as exc:
            raise SQLRefusedError("This SQL is too costly to judge; write it with less nesting.") from exc
        present.examinations.put(sql, examined)
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


def _read(driver: Connection, policy: Policy | None, judges: Workers) -> CatalogReading:
    catalog = _with_version(driver.catalog())
    if policy is None:
        return CatalogReading(catalog, catalog, None)
    # A partition has a name of its own, which a policy that denies the whole table does not know.
    policed = judges.call(apply_policy, catalog.whole_tables, policy, deadline=JUDGING)
    return CatalogReading(catalog, policed.visible, policed, find_hidden_names(policed.full, policed.visible))


def _read_or_leave(read: Callable[[], T], none: T, name: str) -> T:
    try:
        return read()
    except DatabaseUnavailableError:
        raise
    except SqlchatError as exc:
        log.warning("%s could not be read", name, extra={"reason": exc.detail})
        return none


def _with_version(catalog: Catalog) -> Catalog:
    """Add a version if the database gave none: the same content has the same version in every process."""
    if catalog.version:
        return catalog
    content = repr((catalog.tables, catalog.default_schema, sorted(catalog.functions or ()), catalog.own))
    return replace(catalog, version=hashlib.blake2b(content.encode(), digest_size=8).hexdigest())


def _only_of(catalog: Catalog, profiles: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return `profiles` without columns that `catalog` lacks."""
    paths = {(table.schema, table.name, column.name) for table in catalog.tables for column in table.columns}
    return {path: each for path, each in profiles.items() if path in paths}
