"""Finds SQL dialects by their names, and translates SQL between them."""

from __future__ import annotations

import copy

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, Dialects
from sqlglot.errors import ErrorLevel, UnsupportedError

from sqlchat.errors import DialectUnknownError, SQLRefusedError
from sqlchat.sql.guard import find_unknown_functions
from sqlchat.sql.losses import find_losses
from sqlchat.sql.parse import parse

NOT_SQL = {"dax", "prql", "solr"}
KNOWN = frozenset(d.value for d in Dialects if d.value not in NOT_SQL)
ALIASES = {
    "ansi": "", "sql": "", "pg": "postgres", "pgsql": "postgres", "postgresql": "postgres", "sqlite3": "sqlite",
    "mariadb": "mysql", "mssql": "tsql", "sqlserver": "tsql", "plsql": "oracle", "sparksql": "spark",
}  # fmt: skip
WINDOW_PARTS = ("partition_by", "order", "spec")
PUBLIC_NAMES = {"": "ansi", "postgres": "postgresql"}


def find_dialect(name: str) -> str:
    """Return sqlglot's name of the dialect `name` ("" is ANSI). Raises DialectUnknownError."""
    key = name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    dialect = ALIASES.get(key, key)
    if not key or dialect not in KNOWN:
        known = ", ".join(sorted({write_public_name(d) for d in KNOWN}))
        raise DialectUnknownError(f"There is no SQL dialect {name[:60]!r} here; the known ones are {known}.")
    return dialect


def write_public_name(dialect: str) -> str:
    """Return the API's name of sqlglot's `dialect`."""
    return PUBLIC_NAMES.get(dialect, dialect)


def _inline_windows(tree: exp.Expr) -> None:
    """Replace each `OVER name` by its window: sqlglot does not know the order of NULLs in a named window."""
    for select in tree.find_all(exp.Select):
        definitions = {window.name.lower(): window for window in select.args.get("windows") or ()}
        uses = [
            window
            for window in select.find_all(exp.Window)
            if window.alias.lower() in definitions and window.find_ancestor(exp.Select) is select
        ]
        extends_other = any(window.args.get("alias") for window in select.args.get("windows") or ())
        if extends_other or any(window.args.get(part) for window in uses for part in WINDOW_PARTS):
            continue  # WINDOW v AS (w ORDER BY ...) and OVER (w ORDER BY ...) extend another window
        for window in uses:
            for part in WINDOW_PARTS:
                window.set(part, copy.deepcopy(definitions[window.alias.lower()].args.get(part)))
            window.set("alias", None)
        if definitions:
            select.set("windows", None)


def transpile(sql: str, source: str, target: str) -> tuple[str, tuple[str, ...]]:
    """Translate `sql` between two dialects (sqlglot's names).

    Returns the SQL, statements separated by `;`, and a warning for each part that has no equivalent there or gives
    another result. Raises SQLSyntaxError, SQLRefusedError.
    """
    statements: list[str] = []
    warnings: list[str] = []
    for tree in parse(sql, source, exact=True):
        _inline_windows(tree)
        generator = Dialect.get_or_raise(target).generator(unsupported_level=ErrorLevel.IGNORE)
        try:
            statements.append(generator.generate(tree, copy=False))
        except RecursionError as exc:
            raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.") from exc
        except (UnsupportedError, ValueError, AttributeError, KeyError, TypeError) as exc:
            raise SQLRefusedError(f"This SQL cannot be written in {write_public_name(target)}: {exc}") from exc
        warnings += generator.unsupported_messages
        warnings += find_losses(tree, statements[-1], source, target)
        if isinstance(tree, exp.Query) and not any("cannot be read" in each for each in warnings):
            unknown = find_unknown_functions(statements[-1], target)
            warnings += [f"no function {name}" for name in unknown if name != "lateral"]
    return ";\n".join(statements), tuple(
        dict.fromkeys(f"{write_public_name(target)}: {warning}" for warning in warnings)
    )
