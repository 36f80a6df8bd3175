"""Examines one text of SQL: whether it may run, which names it uses and which tables and columns it reads."""

from __future__ import annotations

from dataclasses import dataclass

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.catalog import Catalog
from sqlchat.sql.conditions import TextCondition, find_text_conditions
from sqlchat.sql.guard import RULES, check
from sqlchat.sql.lineage import Lineage, lineage
from sqlchat.sql.names import UnknownName, find_unknown_names
from sqlchat.sql.parse import share_trees
from sqlchat.sql.policies.policy import PolicedCatalog, refuse
from sqlchat.sql.scales import find_scales


@dataclass(frozen=True, slots=True)
class Examination:
    """The result for `sql`, which may run on the connection that examined it, and on no other.

    For example, `SELECT name FROM customer WHERE country = 'Chile'` on a catalog that holds `customers` gives kind
    "SELECT", the unknown table `customer`, a lineage whose tables_read are ("customer",), and one condition.
    """

    sql: str
    catalog_version: str
    """Version of the catalog under the connection's policy."""
    kind: str
    """`SELECT` for every query, else the statement's first word, such as `EXPLAIN` or `SHOW`."""
    is_plannable: bool
    """Whether EXPLAIN can be put in front of it."""
    analyzed: str
    """The query that an EXPLAIN ANALYZE runs; "" for any other statement."""
    is_plain: bool
    """Whether nothing that users of the database define can change what it runs."""
    unknown: tuple[UnknownName, ...]
    """Tables and columns that the catalog does not hold."""
    lineage: Lineage
    conditions: tuple[TextCondition, ...]
    """Texts that columns of a query are compared with."""
    scales: tuple[int | None, ...] = ()
    """Postgres: most digits behind the point of each column that holds exact numbers; None if unknown."""


def examine(sql: str, catalog: Catalog, policed: PolicedCatalog | None = None) -> Examination:
    """Examine `sql` for the database of `catalog`, of which `mentioned_in(sql)` is enough.

    `policed` is the part of the whole catalog that the connection's policy needs; None without a policy.

    Raises SQLRefusedError for what the guard or the policy does not allow (with the fact `unknown_names` if a name
    after a dot is neither a column nor an allowed function), SQLSyntaxError for what is no SQL, and
    DialectUnknownError for a dialect in which nothing can run.
    """
    with share_trees():
        verdict = check(sql, catalog.dialect, catalog.functions, catalog)
        if policed is not None:
            refuse(sql, policed)
        unknown = find_unknown_names(sql, catalog)
        tables = [each.name for each in unknown if each.kind == "table"]
        if tables and (RULES[catalog.dialect].knows_all_tables or catalog.own.volatile):
            raise SQLRefusedError(
                f"There is no table {tables[0][:80]!r} in the schema, and no other name may be read.",
                unknown_names=tables,
            )
        return Examination(
            sql=sql,
            catalog_version=catalog.version,
            kind=verdict.kind,
            is_plannable=verdict.is_plannable,
            analyzed=verdict.analyzed,
            is_plain=verdict.is_plain,
            unknown=unknown,
            lineage=lineage(sql, catalog.dialect, catalog),
            conditions=find_text_conditions(sql, catalog.dialect, catalog) if verdict.is_plannable else (),
            scales=find_scales(sql, catalog) if verdict.is_plannable and catalog.dialect == "postgres" else (),
        )
