"""Finds operators in a Postgres query that may be user-defined ones, by the types of their operands.

For example, users defined `+` for a text and an integer. `id + 1` of an integer column is the built-in operator.
`note + 1` may be the users', and so may `f(x) + 1`, since the type of `f(x)` is unknown here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from sqlglot import exp
from sqlglot.expressions import DType

from sqlchat.sql.catalog import Catalog, OwnOperator
from sqlchat.sql.policies.domains import find_built_in, read_last_part

NUMBER, TEXT, TIME, SPAN, BOOLEAN = "N", "S", "D", "T", "B"
"""Categories of types, as in pg_type.typcategory."""
OWN, ANY, NONE = "own", "P", ""
"""Categories of a user-defined operator's operands: a user-defined type, a type for any value, no operand."""
LITERAL, UNKNOWN, OPEN = "literal", "?", "open"
"""Categories of operands in a query: a text or NULL without a type; an unknown type; a column whose category is not
resolved yet, as in a recursive CTE: there Postgres takes the type of the first branch."""
IMPLICIT = frozenset({(TEXT, NUMBER), (TIME, SPAN)})
"""Other implicit casts of Postgres, from one category to another: a text to regclass, a time to an interval."""
TYPE_CATEGORIES = (
    dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision"), NUMBER)
    | dict.fromkeys(("text", "character varying", "character"), TEXT)
    | dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), TIME)
    | {"interval": SPAN, "boolean": BOOLEAN}
)
CAST_CATEGORIES = (
    dict.fromkeys((*exp.DataType.SIGNED_INTEGER_TYPES, DType.DECIMAL, DType.FLOAT, DType.DOUBLE), NUMBER)
    | dict.fromkeys((DType.DATE, DType.TIMESTAMP, DType.TIMESTAMPTZ), TIME)
    | {DType.VARCHAR: TEXT, DType.INTERVAL: SPAN, DType.BOOLEAN: BOOLEAN}
)
SAME = "same"
"""Stands for the category of the arguments."""
FUNCTIONS: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.Count: (NUMBER, ("count",)),
    exp.Length: (NUMBER, ("length", "char_length", "character_length")),
    exp.Extract: (NUMBER, ("extract",)),
    exp.CurrentDate: (TIME, ("current_date",)),
    exp.CurrentTimestamp: (TIME, ("now", "current_timestamp")),
    **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif), (SAME, ())),
    **{
        kind: (SAME, (kind.__name__.lower(),))
        for kind in (exp.Abs, exp.Avg, exp.Lower, exp.Max, exp.Min, exp.Round, exp.Sum, exp.Upper)
    },
}
"""Function -> category of its result, and its names; without names for a part of the language."""
BINARY = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.Pow: "^", exp.DPipe: "||",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Like: "~~", exp.ILike: "~~*", exp.NullSafeEQ: "=", exp.NullSafeNEQ: "=",
}  # fmt: skip
BUILT_IN = (
    dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), (NUMBER, TEXT, TIME, SPAN, BOOLEAN))
    | dict.fromkeys("+-*/", (NUMBER,))
    | dict.fromkeys(("||", "~~", "~~*"), (TEXT,))
)
"""Operator -> categories that have it built in for two operands of one type. A literal then takes that type."""
RESULTS = {
    frozenset({NUMBER}): NUMBER,
    frozenset({NUMBER, LITERAL}): NUMBER,
    frozenset({NUMBER, TIME}): TIME,
    frozenset({SPAN, TIME}): TIME,
    frozenset({SPAN}): SPAN,
}
"""Categories of the operands of an arithmetic operator -> category of its result."""
MOST_ROUNDS = 10
"""Longest chain of columns, each computed from the one before, that is resolved."""
Operand = exp.Expr | str | None
"""An expression or a category; None for an unknown expression."""
Pair = tuple[Operand, Operand]


class Operands:
    """Knows the operators of one query and the categories of their operands."""

    def __init__(self, tree: exp.Expr, catalog: Catalog) -> None:
        self._overloads, self._functions = catalog.own.overloads, catalog.own.functions
        self._nodes = list(tree.walk())
        self._meanings = defaultdict[str, list[exp.Expr | str]](list)
        """Lower-case name of a column -> the expressions and categories that it may mean."""
        self._columns: dict[str, str] = {}
        """Lower-case name of a column -> its category; empty if a source has unknown columns."""
        self._categories: dict[int, str] = {}
        """Identity of a node -> its category."""
        self._has_own_columns = any(column.runs_own for table in catalog.tables for column in table.columns)
        if self._read_sources(catalog):
            self._columns = dict.fromkeys(self._meanings, OPEN)
        is_resolved = any(not self._resolve_categories() for _ in range(MOST_ROUNDS))
        if not is_resolved or OPEN in self._columns.values():
            self._columns = {}
            self._resolve_categories()

    def find_volatile(self, symbols: Iterable[str]) -> str:
        """Return the first of `symbols`, those of all operators in the text, that may call a volatile overload.

        Returns "" if none may.
        """
        uses = defaultdict[str, list[list[Pair]]](list)
        for symbol, pairs in self._list_uses():
            uses[symbol].append(pairs)
        for symbol, count in Counter(symbols).items():
            overloads = [each for each in self._overloads if each.symbol == symbol and each.is_volatile]
            if overloads and len(uses[symbol]) < count:
                return symbol  # the tree does not show each operator of the text
            if any(self._may_call(overloads, *pair) for pairs in uses[symbol] for pair in pairs):
                return symbol
        return ""

    def find_volatile_cast(self) -> str:
        """Return the type of a cast that may call a volatile function; "" if there is none."""
        casts = [(find_built_in(each.symbol[2:]), each) for each in self._overloads if each.symbol.startswith("::")]
        for node in self._nodes if casts else ():
            if isinstance(node, exp.Cast) and self._find_category(node.this) != LITERAL:
                name = read_last_part(node.to.sql("postgres"))
                kind = find_built_in(name)
                if kind is None or self._may_call((cast for to, cast in casts if to == kind), NONE, node.this):
                    return name
        return ""

    def _list_uses(self) -> Iterator[tuple[str, list[Pair]]]:
        """Yield each operator of the tree once, with the pairs of its operands."""
        for node in self._nodes:
            match node:
                case exp.In():
                    pairs: list[Pair] = [(node.this, each) for each in node.expressions] or [(node.this, None)]
                    yield from (("=", pairs), ("<>", pairs))
                case exp.Between():
                    pairs = [(node.this, node.args["low"]), (node.this, node.args["high"])]
                    yield from ((symbol, pairs) for symbol in (">=", "<=", "<", ">"))
                case exp.Case():
                    yield "=", [(node.this, each.this) for each in node.args["ifs"] if node.this]
                case exp.Nullif():
                    yield "=", [(node.this, node.expression)]
                case exp.Neg():
                    yield "-", [(NONE, node.this)]
                case exp.Join() if node.args.get("using") or node.method == "NATURAL":
                    yield "=", [(each, each) for each in node.args.get("using") or [None]]
                case exp.Binary() if symbol := BINARY.get(type(node)):
                    yield symbol, [(node.this, node.expression)]

    def _may_call(self, overloads: Iterable[OwnOperator], left: Operand, right: Operand) -> bool:
        return any(self._may_take(overload, left, right) for overload in overloads)

    def _may_take(self, overload: OwnOperator, left: Operand, right: Operand) -> bool:
        operands = [self._find_category(left), self._find_category(right)]
        categories = {*operands} - {LITERAL} or {TEXT}
        is_built_in = len(categories) == 1 and not categories.isdisjoint(BUILT_IN.get(overload.symbol, ()))
        if LITERAL in operands and is_built_in:
            operands = [*categories] * 2
        return self._accepts(overload.left, operands[0]) and self._accepts(overload.right, operands[1])

    def _accepts(self, parameter: str, operand: str) -> bool:
        """Whether an operator may take an operand of the category `operand` for its `parameter`."""
        if operand in (parameter, OPEN) or NONE in (parameter, operand):
            return parameter == operand
        if parameter == OWN:
            return operand == LITERAL or (operand == UNKNOWN and self._has_own_columns)
        return parameter == ANY or operand in (LITERAL, UNKNOWN) or (operand, parameter) in IMPLICIT

    def _resolve_categories(self) -> bool:
        """Resolve the category of each node and column again; return whether a column's category changed."""
        for node in reversed(self._nodes):
            self._categories[id(node)] = self._compute_category(node)
        changed = {}
        for name, category in self._columns.items():
            categories = {self._find_category(meaning) for meaning in self._meanings[name]} - {OPEN}
            categories = {TEXT if each == LITERAL else each for each in categories}
            if category != UNKNOWN and categories and categories != {category}:
                is_first = category == OPEN and len(categories) == 1
                changed[name] = categories.pop() if is_first else UNKNOWN
        self._columns |= changed
        return bool(changed)

    def _find_category(self, node: Operand) -> str:
        return node if isinstance(node, str) else self._categories.get(id(node), UNKNOWN)

    def _compute_category(self, node: exp.Expr) -> str:
        match node:
            case exp.Identifier():
                return self._columns.get(node.name.lower(), UNKNOWN)
            case exp.Paren() | exp.Window() | exp.Filter() | exp.Alias() | exp.Column():
                return self._find_category(node.this)
            case exp.Literal():
                return LITERAL if node.is_string else NUMBER
            case exp.Null():
                return LITERAL
            case exp.Boolean() | exp.And() | exp.Or() | exp.Not() | exp.Is() | exp.Exists():
                return BOOLEAN
            case exp.Interval():
                return SPAN
            case exp.Cast():
                return CAST_CATEGORIES.get(node.to.this, UNKNOWN)
            case exp.Case():
                return self._find_common_category(
                    [*(each.args["true"] for each in node.args["ifs"]), node.args.get("default")]
                )
            case exp.Subquery() if isinstance(node.this, exp.Select) and len(node.selects) == 1:
                return self._find_common_category(node.selects)
            case exp.Neg():
                return NUMBER if self._find_category(node.this) == NUMBER else UNKNOWN
            case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod():
                overloads = [each for each in self._overloads if each.symbol == BINARY[type(node)]]
                if self._may_call(overloads, node.this, node.expression):
                    return UNKNOWN
                pair = {self._find_category(node.this), self._find_category(node.expression)} - {OPEN}
                return RESULTS.get(frozenset(pair), UNKNOWN) if pair else OPEN
        category, names = FUNCTIONS.get(type(node), (UNKNOWN, ()))
        if not self._functions.isdisjoint(names):
            return UNKNOWN
        if category == SAME:
            return self._find_common_category([node.this, *(() if names else node.expressions)])
        return category

    def _find_common_category(self, nodes: Iterable[Operand]) -> str:
        """Return the category that all `nodes` but literals and open ones have; UNKNOWN if there are several."""
        categories = {self._find_category(node) for node in nodes if node is not None}
        if categories == {OPEN}:
            return OPEN
        categories -= {LITERAL, OPEN}
        return categories.pop() if len(categories) == 1 else UNKNOWN

    def _read_sources(self, catalog: Catalog) -> bool:
        """Record the meanings of each column name; False if a source has unknown columns."""
        ctes = {node.alias.lower() for node in self._nodes if isinstance(node, exp.CTE)}
        for alias in (node for node in self._nodes if isinstance(node, exp.Alias)):
            self._meanings[alias.alias.lower()].append(alias.this)
        sources = [
            node for node in self._nodes if isinstance(node, exp.Table | exp.DerivedTable | exp.CTE | exp.UDTF)
        ]
        return all(self._read_source(source, catalog, ctes) for source in sources)

    def _read_source(self, source: exp.Expr, catalog: Catalog, ctes: set[str]) -> bool:
        """Record the meanings of the columns of `source`; False if it has unknown columns."""
        alias, inside = source.args.get("alias"), source.this
        columns = [each.name.lower() for each in alias.columns] if isinstance(alias, exp.TableAlias) else []
        if isinstance(inside, exp.GenerateSeries):
            self._meanings[columns[0] if columns else source.alias.lower()].append(inside.args["start"])
            return True
        self._meanings[source.alias_or_name.lower()].append(UNKNOWN)  # a whole row
        match source:
            case exp.Table() if isinstance(inside, exp.Identifier):
                tables = [table for table in catalog.tables if table.name.lower() == source.name.lower()]
                for table in tables:
                    for column in table.columns:
                        type_name = re.sub(r"\(.*?\)", "", column.base_type or column.type)
                        self._meanings[column.name.lower()].append(TYPE_CATEGORIES.get(type_name, UNKNOWN))
                for name in columns:
                    self._meanings[name].append(UNKNOWN)
                return bool(tables) or source.name.lower() in ctes
            case exp.Values():
                return self._read_rows(source, columns)
            case exp.Subquery() | exp.CTE() if isinstance(inside, exp.Query):
                if isinstance(source, exp.Subquery) and not isinstance(
                    source.parent, exp.From | exp.Join | exp.Lateral
                ):
                    return True  # a value, not a source of rows
                return all(self._read_outputs(branch, columns) for branch in _list_branches(inside))
        return isinstance(source, exp.Subquery) or isinstance(inside, exp.Subquery)

    def _read_rows(self, source: exp.Values, names: list[str]) -> bool:
        for row in source.expressions:
            names += [f"column{at}" for at in range(len(names) + 1, len(row.expressions) + 1)]
            for name, value in zip(names, row.expressions, strict=False):
                self._meanings[name].append(value)
        return True

    def _read_outputs(self, select: exp.Select | exp.Values, names: list[str]) -> bool:
        """Record the outputs of a source under `names`, or their own; False if Postgres itself names one of them."""
        if isinstance(select, exp.Values):
            return self._read_rows(select, names)
        has_star = any(output.is_star for output in select.selects)
        for at, output in enumerate(select.selects):
            if output.find(exp.Star) and not isinstance(output, exp.Star | exp.Column):
                return not has_star and isinstance(output, exp.Alias)
            if at >= len(names) and not has_star:
                if not isinstance(output, exp.Alias | exp.Column):
                    return False
                names.append(output.alias_or_name.lower())
        for at, name in enumerate(names):
            self._meanings[name].append(UNKNOWN if has_star or at >= len(select.selects) else select.selects[at])
        return True


def _list_branches(query: exp.Expr) -> Iterator[exp.Select | exp.Values]:
    """Yield the branches of a UNION, INTERSECT or EXCEPT, the first one first."""
    waiting = [query]
    while waiting:
        match waiting.pop():
            case exp.SetOperation() as node:
                waiting += [node.expression, node.this]
            case exp.Subquery() as node:
                waiting.append(node.this)
            case exp.Select() | exp.Values() as node:
                source = node.args.get("from_")
                # sqlglot makes SELECT * FROM (VALUES (1)) AS _values of VALUES (1) in a UNION
                rows = source.this if source else None
                yield rows if isinstance(rows, exp.Values) and rows.alias == "_values" else node
