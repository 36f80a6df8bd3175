"""Tells what a translated query loses: parts that the other dialect does not have, or runs with another result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.guard import RULES
from sqlchat.sql.parse import parse

_MYSQL, _TSQL = {"mysql", "singlestore"}, {"tsql", "fabric"}
_NO_FILTER = _MYSQL | _TSQL | {"oracle", "bigquery", "snowflake", "redshift", "hive", "teradata"}
_NO_ILIKE = _MYSQL | _TSQL | {"oracle", "sqlite", "bigquery", "hive", "teradata"}
_NO_ARRAYS = _MYSQL | _TSQL | {"sqlite", "oracle"}
_NO_SETS = _MYSQL | {"sqlite"}
_DAYS = _MYSQL | {"sqlite"}

CONTAINS = (
    exp.JSONBContainsTopKey,
    exp.JSONBContainsAllTopKeys,
    exp.JSONBContainsAnyTopKeys,
    exp.ArrayContainsAll,
    exp.ArrayOverlaps,
)
Parts = tuple[type[exp.Expr], ...]


def _is_array(node: exp.Expr) -> bool:
    return not isinstance(node, exp.Any) or not isinstance(node.this, exp.Query)


def _has_ties(node: exp.Expr) -> bool:
    return any(options.args.get("with_ties") for options in node.find_all(exp.LimitOptions))


def _adds_days(node: exp.Expr) -> bool:
    sides = (node.this, node.expression)
    is_date = any(isinstance(side, exp.Cast) and side.is_type("date") for side in sides)
    return is_date and any(isinstance(side, exp.Literal) and side.is_int for side in sides)


def _shares_names(node: exp.Expr) -> bool:
    return bool(node.args.get("using")) or node.args.get("method") == "NATURAL"


GIVEN: tuple[tuple[Parts, Collection[str], Callable[[exp.Expr], bool] | None, str], ...] = (
    ((exp.Bracket, exp.Any, exp.Unnest, exp.Explode), _NO_ARRAYS, _is_array, "no arrays"),
    (CONTAINS, _NO_ARRAYS, None, "no operators for what JSON or an array contains"),
    ((exp.Fetch,), {"mysql", "sqlite", "duckdb"}, _has_ties, "no WITH TIES"),
    ((exp.Add, exp.Sub), _DAYS, _adds_days, "a date and a number do not add up to a date; date functions do"),
    ((exp.Join,), _TSQL, _shares_names, "no USING and no NATURAL JOIN; ON does the same"),
)
"""Parts of the query as it was given -> the dialects that lose them, which of them, and how a warning says it."""
WRITTEN: tuple[tuple[Parts, Collection[str], str], ...] = (
    ((exp.Filter,), _NO_FILTER, "no FILTER (WHERE ...) behind an aggregate; CASE inside it does the same"),
    ((exp.ILike,), _NO_ILIKE, "no ILIKE; lower(...) LIKE lower(...) does the same"),
    ((exp.Interval,), _TSQL | {"sqlite"}, "no INTERVAL"),
    ((exp.Array,), _NO_ARRAYS, "no arrays"),
    ((exp.ArrayAgg,), _TSQL | {"oracle"}, "no array_agg"),
    ((exp.WithinGroup,), _MYSQL | {"sqlite"}, "no WITHIN GROUP"),
    ((exp.Cube, exp.GroupingSets, exp.Rollup), _NO_SETS, "no CUBE, ROLLUP or GROUPING SETS of that form"),
    ((exp.SimilarTo,), _MYSQL | _TSQL | {"sqlite", "oracle", "bigquery"}, "no SIMILAR TO"),
    ((exp.RegexpLike,), _TSQL | {"sqlite"}, "regular expressions need an extension or a new version"),
    ((exp.Lateral,), {"sqlite"}, "no LATERAL"),
    ((exp.AtTimeZone,), {"sqlite"}, "no AT TIME ZONE"),
    ((exp.LogicalOr,), _TSQL | {"oracle"}, "no bool_or"),
    ((exp.LogicalAnd,), _TSQL | {"oracle"}, "no bool_and"),
)
"""Parts of the translation -> the dialects that have none, and how a warning says it."""


def find_losses(given: exp.Expr, written: str, source: str, target: str) -> Iterator[str]:
    """What of `written`, the translation of `given`, fails in `target`, or gives another result than in `source`."""
    for nodes, dialects, is_lost, said in GIVEN:
        if target in dialects and any(is_lost is None or is_lost(each) for each in given.find_all(*nodes)):
            yield said
    try:
        trees = parse(written, target, exact=True)
    except (SQLSyntaxError, SQLRefusedError) as exc:
        yield f"the translation cannot be read: {exc.detail.partition(' If the database')[0]}"
        return
    for nodes, dialects, said in WRITTEN:
        if target in dialects and any(tree.find(*nodes) for tree in trees):
            yield said
    if target not in RULES:
        for tree in trees:
            for call in tree.find_all(exp.Anonymous):
                yield f"the function {call.name} is taken over as it is"
    is_typed = [Dialect.get_or_raise(dialect).TYPED_DIVISION for dialect in (source, target)]
    if is_typed[0] != is_typed[1] and any(_may_be_whole(each) for tree in trees for each in tree.find_all(exp.Div)):
        known = {True: "drops the fraction", False: "keeps the fraction"}
        yield f"/ between whole numbers {known[is_typed[1]]} here, and {known[is_typed[0]]} there"


def _may_be_whole(division: exp.Div) -> bool:
    """Whether both sides may be whole numbers."""
    for side in (division.this.unnest(), division.expression.unnest()):
        if isinstance(side, exp.Cast) and not side.is_type(*exp.DataType.INTEGER_TYPES):
            return False
        if isinstance(side, exp.Literal) and not side.is_int:
            return False
    return True
