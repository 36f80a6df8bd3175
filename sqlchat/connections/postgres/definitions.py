"""Tells whether a Postgres database has changed its functions, operators, casts or domains since its catalog was read.

The guard judges names by the catalog. A function that is made later may take a name that the guard lets pass. So each
transaction compares the definitions with those of the catalog, before it plans a caller's text.
"""

from __future__ import annotations

FIRST_OWN_OID = 16384
"""Postgres' FirstNormalObjectId: what initdb made has lower OIDs."""
CHANGED = "sqlchat: definitions changed"
"""Stands in the error that `comparison` makes the server raise."""

CHANGES = " UNION ALL ".join(
    f"SELECT xmin::pg_catalog.text::pg_catalog.int8 AS x FROM pg_catalog.{table} WHERE {column} >= {FIRST_OWN_OID}"  # noqa: S608
    for table, column in (("pg_proc", "oid"), ("pg_operator", "oid"), ("pg_cast", "oid"), ("pg_constraint", "contypid"))
)
VERSION = f"SELECT pg_catalog.concat(pg_catalog.count(x), '/', pg_catalog.max(x)) AS version FROM ({CHANGES}) c"  # noqa: S608
"""Another text once a definition was made, replaced or dropped: how many there are, and the last transaction of one."""


def comparison(expected: str) -> tuple[str, list[str]]:
    """SQL that raises an error with CHANGED if the version is not `expected`, and its parameters; both may be empty."""
    if not expected:
        return "", []
    return (
        f"SELECT CASE WHEN version <> %s THEN ('{CHANGED} ' || version)::pg_catalog.int4 END FROM ({VERSION}) v; ",  # noqa: S608
        [expected],
    )
