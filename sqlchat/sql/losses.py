"""Finds parts of a translated query that the target dialect lacks, or runs with another result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.guard import RULES
from sqlchat.sql.guards.rules import split_words
from sqlchat.sql.parse import parse

_MYSQL, _TSQL = {"mysql", "singlestore"}, {"tsql", "fabric"}
_HIVE = {"hive", "spark", "spark2", "databricks"}
_CLOUD = {"bigquery", "snowflake", "redshift"}
_SMALL = _MYSQL | {"sqlite"}
_NO_ARRAYS = _MYSQL | _TSQL | {"sqlite", "oracle"}
_CLASSIC = _NO_ARRAYS | {"postgres", "redshift", "teradata"}
"""Dialects without the newer shortcuts of SQL."""
_WITHOUT_MODIFIERS = _MYSQL | _TSQL | _HIVE | _CLOUD | {"postgres", "duckdb", "oracle"}
_ANY_CASE = _SMALL | _TSQL
"""Dialects whose LIKE ignores case by default."""
CONTAINS = (
    exp.JSONBContainsTopKey, exp.JSONBContainsAllTopKeys, exp.JSONBContainsAnyTopKeys, exp.ArrayContainsAll,
    exp.ArrayOverlaps,
)  # fmt: skip
ODD_UNITS = split_words("DOW DAYOFWEEK ISODOW DAYOFWEEKISO DOY DAYOFYEAR EPOCH ISOYEAR CENTURY DECADE")


class Loss(NamedTuple):
    parts: tuple[type[exp.Expr], ...]
    dialects: Collection[str]
    """The target dialects that lack the parts."""
    warning: str
    is_lost: Callable[[exp.Expr], bool] = bool
    """Whether a node of these classes is lost."""


def _is_array(node: exp.Expr) -> bool:
    return not isinstance(node, exp.Any) or not isinstance(node.this, exp.Query)


def _is_date(node: exp.Expr) -> bool:
    bare = node.unnest()
    return isinstance(bare, exp.CurrentDate) or (isinstance(bare, exp.Cast) and bare.is_type("date"))


def _computes_date(node: exp.Expr) -> bool:
    sides = (node.this, node.expression)
    if any(isinstance(side, exp.Literal) and side.is_int for side in sides):
        return any(map(_is_date, sides))
    return isinstance(node, exp.Sub) and all(map(_is_date, sides))


def _has_option(name: str) -> Callable[[exp.Expr], bool]:
    return lambda node: any(options.args.get(name) for options in node.find_all(exp.LimitOptions))


def _has(*names: str) -> Callable[[exp.Expr], bool]:
    return lambda node: any(node.args.get(name) for name in names)


def _is_condition(node: exp.Expr) -> bool:
    conditions = (exp.Predicate, exp.Connector, exp.Not, exp.Boolean)
    return any(isinstance(each.unalias().unnest(), conditions) for each in node.expressions)


def _leaves_columns_ungrouped(node: exp.Expr) -> bool:
    """Whether a query with aggregates or groups shows a column that is neither grouped nor aggregated."""
    group = node.args.get("group")
    keys = {key.sql() for key in group.expressions} if group else set()
    if group and any(isinstance(key, exp.Literal) for key in group.expressions):
        return False
    shown = [each for each in node.expressions if each.unalias().sql() not in keys and each.alias_or_name not in keys]
    totals = (total for each in shown for total in each.find_all(exp.AggFunc))
    if not group and not any(t.find_ancestor(exp.Select) is node and not t.find_ancestor(exp.Window) for t in totals):
        return False
    columns = (column for each in shown for column in each.find_all(exp.Column) if column.sql() not in keys)
    return any(column.find_ancestor(exp.AggFunc, exp.Select) is node for column in columns)


def _writes_number(node: exp.Expr) -> bool:
    """Whether the pattern formats a number, such as `FM999,990.00`, and not a date."""
    pattern = node.args.get("format")
    return isinstance(pattern, exp.Literal) and not {"9", "0"}.isdisjoint(pattern.name)


def _shifts_date(node: exp.Expr) -> bool:
    return node.name.upper() in ("DATE", "DATETIME", "TIME") and len(node.expressions) > 1


def _selects_position(node: exp.Expr) -> bool:
    return any(isinstance(each, exp.Literal) for each in node.expressions)


GIVEN = (
    Loss((exp.Bracket, exp.Any, exp.Unnest, exp.Explode), _NO_ARRAYS, "no arrays", _is_array),
    Loss((exp.ArrayAgg,), _SMALL, "array_agg becomes one text"),
    Loss(CONTAINS, _NO_ARRAYS, "no operators for what JSON or an array contains"),
    Loss((exp.Fetch, exp.Limit), _SMALL | _HIVE | _CLOUD | {"duckdb"}, "no WITH TIES", _has_option("with_ties")),
    Loss((exp.Fetch, exp.Limit), _SMALL | {"postgres", "spark"}, "no LIMIT in percent", _has_option("percent")),
    Loss(
        (exp.Add, exp.Sub),
        _SMALL | _TSQL,
        "dates and numbers do not add up to a date, nor dates to days; date functions do",
        _computes_date,
    ),
    Loss(
        (exp.Join,),
        _TSQL,
        "no USING and no NATURAL JOIN; ON does the same",
        lambda node: bool(node.args.get("using")) or node.args.get("method") == "NATURAL",
    ),
    Loss((exp.TryCast,), _SMALL | {"postgres"}, "no TRY_CAST; CAST fails or gives another value"),
    Loss(
        (exp.Cast,),
        _MYSQL | _TSQL | _HIVE | {"snowflake", "redshift"},
        "DECIMAL without digits drops the fraction",
        lambda node: node.args["to"].this == exp.DType.DECIMAL and not node.args["to"].expressions,
    ),
    Loss(
        (exp.Join,),
        _CLASSIC | _HIVE,
        "no ASOF and no POSITIONAL JOIN",
        lambda node: node.args.get("method") in ("ASOF", "POSITIONAL"),
    ),
    Loss((exp.MatchAgainst,), {"postgres", "sqlite", "duckdb", "spark"}, "full-text search has other rules"),
    Loss((exp.TimeToStr,), _SMALL | {"duckdb"} | _HIVE, "numbers are not written by a pattern", _writes_number),
    Loss((exp.Anonymous,), _WITHOUT_MODIFIERS, "date functions take no modifiers such as '-1 day'", _shifts_date),
    Loss((exp.Comprehension,), _CLASSIC | _HIVE | _CLOUD, "no lists made by FOR"),
)
"""Losses that the given query shows."""
WRITTEN = (
    Loss(
        (exp.Filter,),
        _MYSQL | _TSQL | _CLOUD | {"oracle", "hive", "teradata"},
        "no FILTER (WHERE ...) behind an aggregate; CASE inside it does the same",
    ),
    Loss(
        (exp.ILike,),
        _MYSQL | _TSQL | {"oracle", "sqlite", "bigquery", "hive", "teradata"},
        "no ILIKE; lower(...) LIKE lower(...) does the same",
    ),
    Loss((exp.Interval,), _TSQL | {"sqlite"}, "no INTERVAL"),
    Loss((exp.Array,), _NO_ARRAYS, "no arrays"),
    Loss((exp.ArrayAgg,), _TSQL | {"oracle"}, "no array_agg"),
    Loss((exp.WithinGroup,), _SMALL, "no WITHIN GROUP"),
    Loss((exp.PercentileCont, exp.PercentileDisc, exp.Median), _SMALL, "no median and no percentiles"),
    Loss((exp.Cube, exp.GroupingSets, exp.Rollup), _SMALL, "no CUBE, ROLLUP or GROUPING SETS of that form"),
    Loss((exp.SimilarTo,), _MYSQL | _TSQL | {"sqlite", "oracle", "bigquery"}, "no SIMILAR TO"),
    Loss(
        (exp.RegexpLike, exp.RegexpReplace, exp.RegexpExtract),
        _TSQL | {"sqlite"},
        "regular expressions need an extension or a new version",
    ),
    Loss((exp.RegexpLike,), {"snowflake"}, "a regular expression must match the whole text"),
    Loss((exp.Lateral,), {"sqlite"}, "no LATERAL"),
    Loss((exp.Lateral,), {"postgres", "duckdb"}, "no LATERAL VIEW", _has("view")),
    Loss((exp.AtTimeZone,), {"sqlite"}, "no AT TIME ZONE"),
    Loss((exp.LogicalOr,), _TSQL | {"oracle"}, "no bool_or"),
    Loss((exp.LogicalAnd,), _TSQL | {"oracle"}, "no bool_and"),
    Loss((exp.GenerateSeries,), {"sqlite"}, "generate_series needs an extension"),
    Loss((exp.Initcap, exp.Pad, exp.SplitPart, exp.Mode, exp.Corr), _TSQL, "no initcap, lpad, rpad, mode or corr"),
    Loss(
        (exp.Extract,),
        _MYSQL | _TSQL | {"oracle"},
        "EXTRACT knows other parts of a date",
        lambda node: node.name.upper() in ODD_UNITS,
    ),
    Loss(
        (exp.In, exp.EQ, exp.NEQ),
        _TSQL,
        "no comparison of several columns at once",
        lambda node: isinstance(node.this, exp.Tuple),
    ),
    Loss((exp.Select,), _TSQL | {"oracle"}, "a condition is no value; CASE WHEN ... does the same", _is_condition),
    Loss(
        (exp.Subquery,),
        _TSQL,
        "ORDER BY in a subquery needs TOP",
        lambda node: bool(node.this.args.get("order")) and not node.this.args.get("limit"),
    ),
    Loss((exp.Any, exp.All), {"sqlite"}, "no ANY and no ALL of a subquery"),
    Loss(
        (exp.In,),
        _MYSQL,
        "no LIMIT in a subquery of IN",
        lambda node: (query := node.args.get("query")) is not None and bool(query.unnest().args.get("limit")),
    ),
    Loss((exp.Offset,), _MYSQL, "no OFFSET without LIMIT", lambda node: not (node.parent or node).args.get("limit")),
    Loss(
        (exp.WindowSpec,),
        _MYSQL | _TSQL | _HIVE | _CLOUD,
        "no GROUPS and no EXCLUDE in a window",
        lambda node: node.args.get("kind") == "GROUPS" or bool(node.args.get("exclude")),
    ),
    Loss(
        (exp.Star,),
        _CLASSIC - {"redshift"} | {"hive"},
        "no * without some columns; name the columns",
        _has("except_", "replace", "rename"),
    ),
    Loss((exp.Group,), _CLASSIC, "no GROUP BY ALL", _has("all")),
    Loss((exp.Group,), _TSQL | {"oracle"}, "no GROUP BY of a position", _selects_position),
    Loss((exp.Unnest, exp.Explode), _TSQL | _SMALL | {"oracle"}, "no UNNEST"),
    Loss(
        (exp.Where, exp.Having),
        {"oracle"},
        "a column is no condition",
        lambda node: isinstance(node.this, exp.Column),
    ),
    Loss((exp.RegexpLike,), _MYSQL, "MariaDB has REGEXP in place of REGEXP_LIKE, and case is ignored"),
    Loss(
        (exp.Distinct,),
        _SMALL | _TSQL,
        "no count of several columns in brackets",
        lambda node: any(isinstance(each, exp.Tuple) for each in node.expressions),
    ),
    Loss((exp.Glob,), _MYSQL | _TSQL | _HIVE | _CLOUD | {"postgres", "oracle"}, "no GLOB"),
)
"""Losses that the translation shows."""


def find_losses(given: exp.Expr, written: str, source: str, target: str) -> Iterator[str]:
    """Yield warnings about parts of `written`, the translation of `given`, that fail or differ in `target`."""
    yield from _list_losses(GIVEN, [given], target)
    if source in _SMALL and target not in _SMALL and any(map(_leaves_columns_ungrouped, given.find_all(exp.Select))):
        yield "beside an aggregate, each column must be grouped"
    if source == "sqlite" and any(column.name.lower() == "rowid" for column in given.find_all(exp.Column)):
        yield "no rowid"
    if source in _TSQL and any(_adds_text(each) for each in given.find_all(exp.Add)):
        yield "+ joins no texts; || does"
    if (source in _ANY_CASE) != (target in _ANY_CASE) and given.find(exp.Like):
        yield f"LIKE {'ignores' if target in _ANY_CASE else 'heeds'} case here"
    try:
        trees = parse(written, target, exact=True)
    except (SQLSyntaxError, SQLRefusedError) as exc:
        yield f"the translation cannot be read: {exc.detail.partition(' If the database')[0]}"
        return
    yield from _list_losses(WRITTEN, trees, target)
    if target not in RULES:
        for tree in trees:
            for call in tree.find_all(exp.Anonymous):
                yield f"the function {call.name} is taken over as it is"
    is_typed = [Dialect.get_or_raise(dialect).TYPED_DIVISION for dialect in (source, target)]
    if is_typed[0] != is_typed[1] and any(_may_be_whole(each) for tree in trees for each in tree.find_all(exp.Div)):
        effects = {True: "drops the fraction", False: "keeps the fraction"}
        yield f"/ between whole numbers {effects[is_typed[1]]} here, and {effects[is_typed[0]]} there"


def _list_losses(losses: Collection[Loss], trees: list[exp.Expr], target: str) -> Iterator[str]:
    for loss in losses:
        if target in loss.dialects and any(
            loss.is_lost(each) for tree in trees for each in tree.find_all(*loss.parts)
        ):
            yield loss.warning


def _adds_text(node: exp.Expr) -> bool:
    return any(isinstance(side, exp.Literal) and side.is_string for side in (node.this, node.expression))


def _may_be_whole(division: exp.Div) -> bool:
    """Whether both sides may be whole numbers."""
    for side in (division.this.unnest(), division.expression.unnest()):
        if isinstance(side, exp.Cast) and not side.is_type(*exp.DataType.INTEGER_TYPES):
            return False
        if isinstance(side, exp.Literal) and not side.is_int:
            return False
    return True
