"""Finds texts without a type that Postgres would turn into a checked domain of users, which runs the check.

`lag(email, 1, 'x')` makes 'x' an `email` if the column has this domain, and `emails = '{x}'` does for its arrays.
`email = 'x'` makes it a text: an operator looks through the domain itself, but not into arrays, rows and ranges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, zip_longest

from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.expressions import DType

from sqlchat.sql.catalog import Catalog, Column, shorten_name
from sqlchat.sql.guards.rules import split_words
from sqlchat.sql.lexer import Lexeme

NONE, VALUE, ARRAY, OTHER = range(4)
"""Levels of an expression: no checked domain, a value of one, an array of such values, another type around them."""
MOST_ROUNDS = 10
"""Longest chain of columns, each computed from the one before, that is resolved."""
TEXTS = exp.Literal | exp.National | exp.UnicodeString | exp.RawString | exp.ByteString | exp.Null
UNITING = exp.Coalesce | exp.Greatest | exp.Least | exp.Nullif | exp.Array | exp.Case
PASSING = UNITING | exp.If | exp.Collate
"""Parts of the language, among sqlglot's functions, that give one of their operands."""
KEEPING = split_words("any_value first_value lag last_value lead lower max min mode nth_value percentile_disc upper")
"""Polymorphic functions that give a value, not an array, for a value."""
OF_ONE_TYPE = exp.Predicate | exp.Connector | exp.Not | exp.Cast | exp.Between | exp.In | exp.Exists
"""Nodes whose own type does not depend on their operands."""
Operands = Sequence[exp.Expr | None]


class CheckedDomains:
    """Knows the levels of all expressions of one query; `types` are the names of the domains and types with them."""

    def __init__(self, words: Sequence[Lexeme], tree: exp.Expr, catalog: Catalog, types: frozenset[str]) -> None:
        self._nodes = list(tree.walk())
        self._polymorphic = catalog.own.polymorphic
        self._called_names = {word.start: word.value for word, after in pairwise(words) if after.text == "("}
        self._columns: dict[str, int] = {}
        self._names: dict[str, int] = {}
        """Lower-case name of a column, row or function in FROM -> its highest level."""
        self._unnamed = NONE
        """Highest level of an output of a source that has a name of Postgres' choice."""
        self._levels: dict[int, int] = {}
        for table in catalog.tables:
            levels = {column.name: _find_column_level(column, types) for column in table.columns}
            for name, level in levels.items():
                _raise_level(self._columns, name, level)
            _raise_level(self._names, table.name, OTHER if any(levels.values()) else NONE)
        self._whole = max(self._columns.values(), default=NONE)
        if self._whole and not any(not self._resolve() for _ in range(MOST_ROUNDS)):
            self._unnamed = OTHER
            self._columns = {}
            self._resolve()

    def find_text(self) -> exp.Expr | None:
        """Return a text, or NULL, that may become a checked domain; None if there is none."""
        return next(self._find_texts(), None) if self._whole else None

    def _find_texts(self) -> Iterator[exp.Expr]:
        for node in self._nodes:
            if isinstance(node, exp.Func) and not isinstance(node, PASSING | OF_ONE_TYPE | exp.Binary):
                arguments = list(node.iter_expressions())
                if self._find_polymorphic_name(node) and self._find_highest(arguments):
                    yield from _list_texts(arguments)
            for operands in _list_united(node):
                if self._find_highest(operands) >= ARRAY:
                    yield from (each for each in _list_texts(operands) if not _is_empty(each))

    def _find_polymorphic_name(self, node: exp.Func) -> str:
        called = self._called_names.get(node.meta.get("start", -1))
        names = type(node).sql_names() if called is None else [shorten_name(called)]
        return next((name for name in map(str.lower, names) if name in self._polymorphic), "")

    def _find_highest(self, nodes: Iterable[exp.Expr | None]) -> int:
        return max((self._levels.get(id(node), NONE) for node in nodes), default=NONE)

    def _resolve(self) -> bool:
        """Find the level of each node and name again; return whether a name's level changed."""
        for node in reversed(self._nodes):
            self._levels[id(node)] = self._find_level(node)
        before = self._unnamed, dict(self._names)
        for node in self._nodes:
            match node:
                case exp.Alias():
                    _raise_level(self._names, node.alias, self._levels[id(node)])
                case exp.Table() | exp.CTE() | exp.Subquery() | exp.UDTF():
                    self._name_source(node)
        return before != (self._unnamed, self._names)

    def _name_source(self, source: exp.Expr) -> None:
        """Raise the levels of the names of a source, of its columns, and of those that Postgres names."""
        inside = source.this
        row = column = self._levels[id(source)]
        if isinstance(source, exp.Table) and isinstance(inside, exp.Identifier):
            row, column = self._names.get(source.name.lower(), NONE), self._whole
        elif isinstance(inside, exp.Query):
            column = self._levels[id(inside)]
            row = OTHER if column else NONE
            unnamed = [each for each in inside.selects if not isinstance(each, exp.Alias | exp.Column | exp.Star)]
            self._unnamed = max(self._unnamed, self._find_highest(unnamed))
        elif isinstance(source, exp.Values) or row == OTHER:  # a function may give the fields of rows
            self._unnamed = max(self._unnamed, row)
        _raise_level(self._names, source.alias, row)
        if row and isinstance(alias := source.args.get("alias"), exp.TableAlias):
            for name in alias.columns:
                _raise_level(self._names, name.name, column)

    def _find_level(self, node: exp.Expr) -> int:
        levels = self._levels
        match node:
            case exp.Identifier():
                name = node.name.lower()
                is_sure = name in self._columns and name not in self._polymorphic and self._unnamed != OTHER
                level = max(self._columns.get(name, NONE), self._names.get(name, NONE))
                return level if is_sure else max(level, self._unnamed)
            case exp.Star():
                return self._whole
            case exp.Column() | exp.Alias() | exp.Subquery() | exp.Window() | exp.Filter():
                return levels[id(node.this)]
            case exp.Bracket() | exp.Any() | exp.All() | exp.Unnest() | exp.Explode():
                inside = self._find_highest(node.expressions if isinstance(node, exp.Unnest) else [node.this])
                is_part = not isinstance(node.this, exp.Query) and not node.find(exp.Slice)
                return VALUE if inside == ARRAY and is_part else inside
            case exp.Dot():
                left, right = levels[id(node.this)], node.expression
                return levels[id(right)] if isinstance(right, exp.Func) else OTHER if left else NONE
            case exp.Select():
                return self._find_highest(node.selects)
            case exp.SetOperation():
                return self._find_highest([node.this, node.expression])
            case _ if isinstance(node, OF_ONE_TYPE):
                return NONE
            case exp.Func() if not isinstance(node, PASSING) and not _list_fields(node):
                if not (name := self._find_polymorphic_name(node)):
                    return NONE
                inside = self._find_highest(node.iter_expressions())
                return ARRAY if inside == VALUE and name not in KEEPING else inside
            case exp.Array() | exp.WithinGroup():
                inside = self._find_highest(node.iter_expressions())
                return ARRAY if inside == VALUE and (isinstance(node, exp.Array) or _takes_array(node)) else inside
        return self._find_highest(node.iter_expressions())


def _find_column_level(column: Column, types: frozenset[str]) -> int:
    if read_last_part(column.type) not in types:
        return NONE
    if column.base_type and read_last_part(column.base_type) not in types:
        return VALUE
    return ARRAY if column.type.endswith("[]") else OTHER


def _takes_array(group: exp.WithinGroup) -> bool:
    """Whether an aggregate such as percentile_disc gives one value for each of an array of fractions."""
    arguments = chain.from_iterable(each.iter_expressions() for each in group.this.find_all(exp.Func))
    return not all(isinstance(each, exp.Literal) for each in arguments)


def _raise_level(levels: dict[str, int], name: str, level: int) -> None:
    if name:
        levels[name.lower()] = max(levels.get(name.lower(), NONE), level)


def _list_united(node: exp.Expr) -> Iterator[Operands]:
    """Yield the operands to which Postgres gives one type."""
    match node:
        case exp.Case():
            yield [node.this, *(each.this for each in node.args["ifs"])] if node.this else []
            yield [*(each.args["true"] for each in node.args["ifs"]), node.args.get("default")]
        case exp.In():
            yield from _pair([node.this, *node.expressions, node.args.get("query")])
        case exp.Between():
            yield from _pair([node.this, node.args["low"], node.args["high"]])
        case exp.WithinGroup():
            yield list(chain(node.this.iter_expressions(), node.find_all(exp.Ordered)))
        case exp.SetOperation():
            left, right = node.this.selects, node.expression.selects
            has_star = any(each.is_star for each in (*left, *right))
            yield from [[*left, *right]] if has_star else zip_longest(left, right)
        case exp.Values():
            yield from _pair(node.expressions)
        case exp.Coalesce() | exp.Greatest() | exp.Least() | exp.Nullif() | exp.Array():
            yield list(node.iter_expressions())
        case exp.Binary():
            yield from _pair([node.this, node.expression])


def _pair(operands: Operands) -> Iterator[Operands]:
    """Yield the operands; for rows of one length, the operands of each place."""
    rows = [_list_fields(each) for each in operands if each is not None]
    if all(rows) and len({len(row) for row in rows}) == 1:
        yield from zip(*rows, strict=True)
    else:
        yield operands


def _list_texts(nodes: Iterable[exp.Expr | None]) -> Iterator[exp.Expr]:
    """Yield the texts without a type among `nodes`, also in brackets or before COLLATE."""
    for node in nodes:
        match node:
            case exp.Paren() | exp.Collate() | exp.Alias() | exp.Any() | exp.All() | exp.Ordered():
                yield from _list_texts([node.this])
            case exp.Tuple() | exp.Anonymous():
                yield from _list_texts(_list_fields(node))
            case exp.Concat():  # two literals in a row
                yield from _list_texts(node.expressions)
            case exp.Literal() if not node.is_string:
                pass
            case _ if isinstance(node, TEXTS):
                yield node


def _list_fields(node: exp.Expr) -> list[exp.Expr]:
    """Return the fields of `(a, b)` or `ROW(a, b)`; none of anything else."""
    is_row = isinstance(node, exp.Tuple) or (isinstance(node, exp.Anonymous) and node.name.lower() == "row")
    return node.expressions if is_row else []


def _is_empty(text: exp.Expr) -> bool:
    """Whether nothing in the text can be checked: it is an empty array or NULL."""
    return isinstance(text, exp.Null) or text.name.strip() == "{}"


def read_last_part(name: str) -> str:
    """Return the last part of a type's name, without schema, length and `[]`, shortened and in lower case."""
    bare = re.sub(r"(\[[^\]]*\]|\([^)]*\))+$", "", name.strip())
    return shorten_name(bare.rpartition(".")[2].strip('"')).lower()


def find_built_in(name: str) -> DType | None:
    """Return the type that sqlglot knows by this name; None if it knows none."""
    try:
        data_type = exp.DataType.build(name, dialect="postgres", udt=True)
    except (ValueError, ParseError):
        return None
    return data_type.this if data_type.this != DType.USERDEFINED else None
