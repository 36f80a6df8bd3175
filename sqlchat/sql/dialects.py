"""Names of SQL dialects, as people write them and as sqlglot does, and translation from one to another."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, Dialects
from sqlglot.errors import ErrorLevel, UnsupportedError

from sqlchat.errors import DialectUnknownError, SQLRefusedError, SQLSyntaxError
from sqlchat.sql.guard import unknown_functions
from sqlchat.sql.parse import parse

NOT_SQL = {"dax", "prql", "solr"}
KNOWN = frozenset(d.value for d in Dialects if d.value not in NOT_SQL)
ALIASES = {
    "ansi": "",
    "sql": "",
    "pg": "postgres",
    "pgsql": "postgres",
    "postgresql": "postgres",
    "sqlite3": "sqlite",
    "mariadb": "mysql",
    "mssql": "tsql",
    "sqlserver": "tsql",
    "plsql": "oracle",
    "sparksql": "spark",
}
_NO_FILTER = {
    "mysql",
    "singlestore",
    "tsql",
    "fabric",
    "oracle",
    "bigquery",
    "snowflake",
    "redshift",
    "hive",
    "teradata",
}
_NO_ILIKE = {"mysql", "singlestore", "tsql", "fabric", "oracle", "sqlite", "bigquery", "hive", "teradata"}
_NO_INTERVAL = {"sqlite", "tsql", "fabric"}
_NO_ARRAYS = {"mysql", "singlestore", "sqlite", "tsql", "fabric", "oracle"}
MISSING: tuple[tuple[type[exp.Expr], Collection[str], str], ...] = (
    (exp.Filter, _NO_FILTER, "no FILTER (WHERE ...) behind an aggregate; CASE inside it does the same"),
    (exp.ILike, _NO_ILIKE, "no ILIKE; lower(...) LIKE lower(...) does the same"),
    (exp.Interval, _NO_INTERVAL, "no INTERVAL"),
    (exp.Array, _NO_ARRAYS, "no arrays"),
)
"""Parts of queries -> the dialects that have none, and how a warning says it."""
PUBLIC_NAMES = {"": "ansi", "postgres": "postgresql"}


def resolve(name: str) -> str:
    """sqlglot's name of the dialect that people call `name` ("" is ANSI). Raises DialectUnknownError."""
    key = name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    dialect = ALIASES.get(key, key)
    if not key or dialect not in KNOWN:
        known = ", ".join(sorted({public_name(d) for d in KNOWN}))
        raise DialectUnknownError(f"There is no SQL dialect {name[:60]!r} here; the known ones are {known}.")
    return dialect


def public_name(dialect: str) -> str:
    """What the API calls sqlglot's `dialect`."""
    return PUBLIC_NAMES.get(dialect, dialect)


def _missing_in(sql: str, source: str, target: str) -> list[str]:
    """What of `sql`, written for `target`, that dialect does not run, or runs with another result than `source`."""
    try:
        trees = parse(sql, target, exact=True)
    except SQLSyntaxError as exc:
        return [f"the translation cannot be read: {exc.detail}"]
    found = [
        said
        for node, dialects, said in MISSING
        if target in dialects and any(tree.find(node) is not None for tree in trees)
    ]
    is_typed = [Dialect.get_or_raise(dialect).TYPED_DIVISION for dialect in (source, target)]
    if is_typed[0] != is_typed[1] and any(_may_be_whole(each) for tree in trees for each in tree.find_all(exp.Div)):
        known = {True: "drops the fraction", False: "keeps the fraction"}
        found.append(f"/ between whole numbers {known[is_typed[1]]} here, and {known[is_typed[0]]} there")
    return found


def _may_be_whole(division: exp.Div) -> bool:
    """Whether both sides may be whole numbers."""
    for side in (division.this.unnest(), division.expression.unnest()):
        if isinstance(side, exp.Cast) and not side.is_type(*exp.DataType.INTEGER_TYPES):
            return False
        if isinstance(side, exp.Literal) and not side.is_int:
            return False
    return True


def transpile(sql: str, source: str, target: str) -> tuple[str, tuple[str, ...]]:
    """Translate `sql` between two dialects (sqlglot's names).

    Gives the SQL, statements separated by `;`, and a warning for each part that has no equivalent there or another
    result. Raises
    SQLSyntaxError, SQLRefusedError.
    """
    statements: list[str] = []
    warnings: list[str] = []
    for tree in parse(sql, source, exact=True):
        generator = Dialect.get_or_raise(target).generator(unsupported_level=ErrorLevel.IGNORE)
        try:
            statements.append(generator.generate(tree, copy=False))
        except RecursionError as exc:
            raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.") from exc
        except (UnsupportedError, ValueError) as exc:
            raise SQLRefusedError(f"This SQL cannot be written in {public_name(target)}: {exc}") from exc
        warnings += generator.unsupported_messages
        warnings += _missing_in(statements[-1], source, target)
        if isinstance(tree, exp.Query) and not any("cannot be read" in each for each in warnings):
            warnings += [f"no function {name}" for name in unknown_functions(statements[-1], target)]
    return ";\n".join(statements), tuple(dict.fromkeys(f"{public_name(target)}: {warning}" for warning in warnings))
