"""Tells whether an operator in a query may be one that users of a Postgres defined, by the types of its operands.

For example, users defined `+` for a text and an integer. `id + 1` of an integer column surely is the built-in one;
`note + 1` may be theirs, and so may `f(x) + 1`, since the type of `f(x)` is unknown here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from sqlglot import exp
from sqlglot.expressions import DType

from sqlchat.sql.catalog import Catalog, OwnOperator

NUMBER, TEXT, TIME, SPAN, BOOLEAN = "N", "S", "D", "T", "B"
"""Categories of types, as pg_type.typcategory has them."""
OWN, ANY, NONE = "own", "P", ""
"""Categories of an own operator's operands: a type of the users' own, a type for any value, no operand."""
LITERAL, UNKNOWN, OPEN = "literal", "?", "open"
"""Categories of operands in a query: a text or NULL without a type of its own; an unknown type; a column whose
category is not settled yet, as in a recursive CTE, where Postgres takes the type of the first branch."""
IMPLICIT = frozenset({(TEXT, NUMBER), (TIME, SPAN)})
"""Further categories between which Postgres casts without being asked: a text to regclass, a time to an interval."""
TYPES = (
    dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision"), NUMBER)
    | dict.fromkeys(("text", "character varying", "character"), TEXT)
    | dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), TIME)
    | {"interval": SPAN, "boolean": BOOLEAN}
)
CAST = (
    dict.fromkeys((*exp.DataType.SIGNED_INTEGER_TYPES, DType.DECIMAL, DType.FLOAT, DType.DOUBLE), NUMBER)
    | dict.fromkeys((DType.DATE, DType.TIMESTAMP, DType.TIMESTAMPTZ), TIME)
    | {DType.VARCHAR: TEXT, DType.INTERVAL: SPAN, DType.BOOLEAN: BOOLEAN}
)
SAME = "same"
"""Category of the arguments."""
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
"""Functions by the category of their results, and their names; none for parts of the language."""
BINARY = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.Pow: "^", exp.DPipe: "||",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Like: "~~", exp.ILike: "~~*", exp.NullSafeEQ: "=", exp.NullSafeNEQ: "=",
}  # fmt: skip
FOR_EQUALS = (
    dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), (NUMBER, TEXT, TIME, SPAN, BOOLEAN))
    | dict.fromkeys("+-*/", (NUMBER,))
    | dict.fromkeys(("||", "~~", "~~*"), (TEXT,))
)
"""Operators that are built in for two operands of one type, by their categories: a literal takes that type then."""
RESULTS = {
    frozenset({NUMBER}): NUMBER,
    frozenset({NUMBER, LITERAL}): NUMBER,
    frozenset({NUMBER, TIME}): TIME,
    frozenset({SPAN, TIME}): TIME,
    frozenset({SPAN}): SPAN,
}
"""Category of what arithmetic of these categories gives."""
MOST_ROUNDS = 10
"""Columns made of one another, in a chain, whose categories are found."""
Operand = exp.Expr | str | None
"""An expression or a category; None for an expression that is not known."""
Pair = tuple[Operand, Operand]


class Operands:
    """The operators of one query and the categories of their operands."""

    def __init__(self, tree: exp.Expr, catalog: Catalog) -> None:
        self._own, self._functions = catalog.own.overloads, catalog.own.functions
        self._nodes = list(tree.walk())
        self._meanings = defaultdict[str, list[exp.Expr | str]](list)
        """Lower-case name of a column -> all that it may mean: expressions and categories."""
        self._columns: dict[str, str] = {}
        """Lower-case name of a column -> its category; empty if a source has unknown columns."""
        self._categories: dict[int, str] = {}
        """Identity of a node -> its category."""
        self._has_own_columns = any(column.runs_own for table in catalog.tables for column in table.columns)
        if self._read_sources(catalog):
            self._columns = dict.fromkeys(self._meanings, OPEN)
        is_settled = any(not self._settle_categories() for _ in range(MOST_ROUNDS))
        if not is_settled or OPEN in self._columns.values():
            self._columns = {}
            self._settle_categories()

    def find_volatile(self, symbols: Iterable[str]) -> str:
        """The first of `symbols`, those of all operators in the text, that may be a volatile one of the users' own.

        Returns "" if there is none.
        """
        uses = defaultdict[str, list[list[Pair]]](list)
        for symbol, pairs in self._list_uses():
            uses[symbol].append(pairs)
        for symbol, times in Counter(symbols).items():
            volatile = [each for each in self._own if each.symbol == symbol and each.is_volatile]
            pairs = [pair for use in uses[symbol] for pair in use]
            if volatile and (
                len(uses[symbol]) < times or any(self._may_be(own, *pair) for own in volatile for pair in pairs)
            ):
                return symbol
        return ""

    def _list_uses(self) -> Iterator[tuple[str, list[Pair]]]:
        """Each operator of the tree once, with the pairs of operands that it takes."""
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

    def _may_be(self, own: OwnOperator, left: Operand, right: Operand) -> bool:
        given = [self._find_category(left), self._find_category(right)]
        categories = {*given} - {LITERAL} or {TEXT}
        if LITERAL in given and len(categories) == 1 and not categories.isdisjoint(FOR_EQUALS.get(own.symbol, ())):
            given = [*categories] * 2
        return self._fits(own.left, given[0]) and self._fits(own.right, given[1])

    def _fits(self, wanted: str, given: str) -> bool:
        if given in (wanted, OPEN) or NONE in (wanted, given):
            return wanted == given
        if wanted == OWN:
            return given == LITERAL or (given == UNKNOWN and self._has_own_columns)
        return wanted == ANY or given in (LITERAL, UNKNOWN) or (given, wanted) in IMPLICIT

    def _settle_categories(self) -> bool:
        """Find the category of each node and column anew; False if no column's has changed."""
        for node in reversed(self._nodes):
            self._categories[id(node)] = self._compute_category(node)
        changed = {}
        for name, category in self._columns.items():
            every = (self._find_category(each) for each in self._meanings[name])
            categories = {TEXT if each == LITERAL else each for each in every} - {OPEN}
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
                return CAST.get(node.to.this, UNKNOWN)
            case exp.Case():
                return self._unite([*(each.args["true"] for each in node.args["ifs"]), node.args.get("default")])
            case exp.Subquery() if isinstance(node.this, exp.Select) and len(node.selects) == 1:
                return self._unite(node.selects)
            case exp.Neg():
                return NUMBER if self._find_category(node.this) == NUMBER else UNKNOWN
            case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod():
                own = [each for each in self._own if each.symbol == BINARY[type(node)]]
                pair = {self._find_category(node.this), self._find_category(node.expression)} - {OPEN}
                is_own = any(self._may_be(each, node.this, node.expression) for each in own)
                return UNKNOWN if is_own else RESULTS.get(frozenset(pair), UNKNOWN) if pair else OPEN
        category, names = FUNCTIONS.get(type(node), (UNKNOWN, ()))
        if category == SAME and self._functions.isdisjoint(names):
            return self._unite([node.this, *(() if names else node.expressions)])
        return category if self._functions.isdisjoint(names) else UNKNOWN

    def _unite(self, nodes: Iterable[Operand]) -> str:
        """The one category of all `nodes`, literals and open ones left out; else UNKNOWN."""
        every = {self._find_category(node) for node in nodes if node is not None}
        categories = every - {LITERAL, OPEN}
        return categories.pop() if len(categories) == 1 else OPEN if every == {OPEN} else UNKNOWN

    def _read_sources(self, catalog: Catalog) -> bool:
        """Note what each name of a column may mean; False if a source has unknown columns."""
        ctes = {node.alias.lower() for node in self._nodes if isinstance(node, exp.CTE)}
        for alias in (node for node in self._nodes if isinstance(node, exp.Alias)):
            self._meanings[alias.alias.lower()].append(alias.this)
        sources = [
            node for node in self._nodes if isinstance(node, exp.Table | exp.DerivedTable | exp.CTE | exp.UDTF)
        ]
        return all(self._read_source(source, catalog, ctes) for source in sources)

    def _read_source(self, source: exp.Expr, catalog: Catalog, ctes: set[str]) -> bool:
        alias, inside = source.args.get("alias"), source.this
        columns = [each.name.lower() for each in alias.columns] if isinstance(alias, exp.TableAlias) else []
        if isinstance(inside, exp.GenerateSeries):
            self._meanings[columns[0] if columns else source.alias.lower()].append(inside.args["start"])
            return True
        self._meanings[source.alias_or_name.lower()].append(UNKNOWN)  # a whole row
        match source:
            case exp.Table() if isinstance(inside, exp.Identifier):
                tables = [table for table in catalog.tables if table.name.lower() == source.name.lower()]
                for column in (column for table in tables for column in table.columns):
                    category = TYPES.get(re.sub(r"\(.*?\)", "", column.base_type or column.type), UNKNOWN)
                    self._meanings[column.name.lower()].append(category)
                for name in columns:
                    self._meanings[name].append(UNKNOWN)
                return bool(tables) or source.name.lower() in ctes
            case exp.Values():
                return self._read_rows(source, columns)
            case exp.Subquery() | exp.CTE() if isinstance(inside, exp.Query):
                is_source = isinstance(source, exp.CTE) or isinstance(
                    source.parent, exp.From | exp.Join | exp.Lateral
                )
                return not is_source or all(self._read_outputs(each, columns) for each in _list_branches(inside))
        return isinstance(source, exp.Subquery) or isinstance(inside, exp.Subquery)

    def _read_rows(self, source: exp.Values, names: list[str]) -> bool:
        for row in source.expressions:
            names += [f"column{at}" for at in range(len(names) + 1, len(row.expressions) + 1)]
            for name, value in zip(names, row.expressions, strict=False):
                self._meanings[name].append(value)
        return True

    def _read_outputs(self, select: exp.Select | exp.Values, names: list[str]) -> bool:
        """Note the outputs of a source under `names`, or their own; False for one that Postgres names by itself."""
        if isinstance(select, exp.Values):
            return self._read_rows(select, names)
        has_star = any(output.is_star for output in select.selects)
        for at, output in enumerate(select.selects):
            if output.find(exp.Star) and not isinstance(output, exp.Star | exp.Column):
                return has_star is False and isinstance(output, exp.Alias)
            if at >= len(names) and not has_star:
                if not isinstance(output, exp.Alias | exp.Column):
                    return False
                names.append(output.alias_or_name.lower())
        for at, name in enumerate(names):
            self._meanings[name].append(UNKNOWN if has_star or at >= len(select.selects) else select.selects[at])
        return True


def _list_branches(query: exp.Expr) -> Iterator[exp.Select | exp.Values]:
    """The queries that UNION and its like put together, the first one first."""
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
