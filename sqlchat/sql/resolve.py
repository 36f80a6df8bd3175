"""Resolves the names of a query: the tables that it reads and the columns that its expressions mean.

It does not use `sqlglot.optimizer.qualify`: this walk changes nothing, needs no schema, accepts unknown names, and
tells names that provably do not exist. Visibility follows the SQL standard (ISO 9075-2, clauses 7.6 to 7.17) and the
rules of each dialect in `scopes.Rules`.

`statements.py` adds the statements that write; `columns.py` records the results.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from sqlglot import exp

from sqlchat.sql.catalog import Catalog
from sqlchat.sql.columns import Findings, find_base_tables, is_named_table
from sqlchat.sql.scopes import Scope, Source, Visible

_ALIAS_WRAPPERS = (
    exp.Ordered, exp.Paren, exp.Tuple, exp.Order, exp.Group, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Distinct,
)  # fmt: skip
"""Nodes that may stand around an output alias if the dialect accepts it only as a whole expression."""

_QUERIES = (exp.Query, exp.UDTF, exp.Pivot, exp.Table)

_NO_CLAUSES = {"with_", "from_", "joins", "laterals", "into", "expressions", "hint", "locks", "settings"}
"""Parts of a SELECT that are resolved separately, or name nothing of the query itself."""

_MODEL_FUNCTIONS = (exp.Predict, exp.GenerateEmbedding, exp.MLForecast, exp.MLTranslate)
"""Functions of BigQuery whose first argument looks like a table, but is a model."""

_SERIES = (exp.GenerateSeries, exp.ExplodingGenerateSeries)


class QueryResolver(ABC):
    """Resolves queries and records the results in `findings`."""

    def __init__(self, dialect: str, catalog: Catalog | None) -> None:
        self.findings = Findings(dialect, catalog)
        self.rules = self.findings.rules

    @abstractmethod
    def resolve_change(self, node: exp.Expr, outer: Scope) -> Source:
        """Resolve a statement that is no query; return the columns of its RETURNING."""

    def resolve_query(self, node: exp.Expr, outer: Scope, recursive: Source | None = None) -> Source:
        """Resolve a query inside `outer` and return its output.

        If the query defines the recursive CTE `recursive`, that gets the columns of the first branch.
        """
        if not isinstance(node, _QUERIES):
            return self.resolve_change(node, outer)
        scope = Scope(outer.parent, self._resolve_ctes(node, outer) if node.args.get("with_") else outer.ctes)
        match node:
            case exp.Select():
                return self._resolve_select(node, scope)
            case exp.SetOperation():
                return self._resolve_set_operation(node, scope, recursive)
            case exp.Subquery():
                output = self.resolve_query(node.this, scope, recursive)
                scope.sources = [output]
                self._resolve_clauses(node, scope, skip={"this", "with_", "alias"})
                return output
            case exp.Pivot():
                return self._resolve_pivot(self.resolve_sources(node.this, scope), [node], scope)
        scope.sources = self.resolve_sources(node, scope)
        return self.findings.merge_sources(scope.sources)

    def _resolve_ctes(self, node: exp.Expr, outer: Scope) -> dict[str, Source]:
        """Return the CTEs that `node` can read, by folded name: those of `outer`, and its own."""
        clause = node.args["with_"]
        is_recursive = bool(clause.args.get("recursive"))
        ctes = dict(outer.ctes)
        pending: dict[int, Source] = {}
        sees_all = is_recursive or self.rules.forward_ctes
        for cte in clause.expressions:
            if sees_all or (self.rules.implicit_recursion and self._is_union(cte.this)):
                pending[id(cte)] = Source(open=True)
            if sees_all:
                ctes[self.rules.fold_identifier(cte.args["alias"].this)] = pending[id(cte)]
        for cte in clause.expressions:
            alias = cte.args["alias"]
            if cte.args.get("scalar"):
                self.resolve_expression(cte.this, Scope(None, ctes))
                continue
            key, columns = self.rules.fold_identifier(alias.this), self._read_alias_columns(alias)
            self.findings.ctes.setdefault(key, (self.findings.find_position(alias), alias.name))
            # Only a UNION can read the CTE that it defines; else that name means a CTE of an outer query.
            itself = pending.get(id(cte)) if self._is_union(cte.this) else None
            visible = {name: source for name, source in ctes.items() if source is not pending.get(id(cte))}
            if itself:
                itself.columns, itself.open = dict.fromkeys(columns, ""), not columns
                visible[key] = itself
            elif key in outer.ctes:
                visible[key] = outer.ctes[key]
            output = self.resolve_query(cte.this, Scope(outer.parent, visible), None if columns else itself)
            output = output.rename(columns=columns)
            if clause.args.get("search"):  # SEARCH and CYCLE add columns
                output.open = True
            if itself:
                itself.adopt_columns(output)
            ctes[key] = output
        return ctes

    @staticmethod
    def _is_union(node: exp.Expr) -> bool:
        return isinstance(node.unnest() if isinstance(node, exp.Subquery) else node, exp.SetOperation)

    def _resolve_select(self, node: exp.Select, scope: Scope) -> Source:
        self.resolve_from(node, scope)
        if (into := node.args.get("into")) and is_named_table(into.this) and not self.rules.into_variables:
            self.findings.note_write(into.this)
        output = self.resolve_projections(node, scope)
        scope.outputs = frozenset(self._read_aliases(node.expressions))
        self._resolve_clauses(node, scope, skip=_NO_CLAUSES)
        return output

    def _resolve_set_operation(self, node: exp.SetOperation, scope: Scope, recursive: Source | None) -> Source:
        # A chain of UNIONs leans to the left and may be thousands deep, so it is walked without recursion.
        chain = [node]
        while isinstance(left := chain[-1].this, exp.SetOperation) and not left.args.get("with_"):
            chain.append(left)
        output = self.resolve_query(chain[-1].this, scope)
        if recursive:
            recursive.adopt_columns(output)
        for step in reversed(chain):
            right = self.resolve_query(step.expression, scope)
            after = Scope(scope.parent, scope.ctes, [output, right])
            self._resolve_clauses(step, after, skip={"this", "expression", "with_", "on"})
            by_name = bool(step.args.get("by_name"))
            output = Source(
                columns={**output.columns, **right.columns} if by_name else output.columns,
                unnamed=output.unnamed | right.unnamed if by_name else output.unnamed,
                open=output.open or (by_name and right.open),
                behind=tuple(dict.fromkeys((*output.behind, *right.behind))),
                bases=find_base_tables((output, right)),
            )
        return output

    def _resolve_clauses(self, node: exp.Expr, scope: Scope, skip: set[str]) -> None:
        for clause, value in node.args.items():
            if clause in skip or not value:
                continue
            visible = self.rules.find_visible(clause, scope.outputs)
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    self.resolve_expression(part, scope, visible)

    def resolve_projections(self, node: exp.Expr, scope: Scope) -> Source:
        """Resolve the output list of a SELECT or RETURNING and return its columns."""
        # EXISTS (SELECT * ...) reads no column, whatever the catalog could expand.
        used = self.findings.catalog is None or not isinstance(node.parent, exp.Exists)
        output = Source(open=bool(node.args.get("kind")), bases=find_base_tables(scope.sources))
        aliases, unnamed = set[str](), set[str]()
        for projection in node.expressions:
            if isinstance(projection, exp.Star) or (
                isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
            ):
                star = self._resolve_star(projection, scope, used=used)
                output.columns.update(star.columns)
                output.behind = tuple(dict.fromkeys((*output.behind, *star.behind)))
                output.open = output.open or star.open
                continue
            self.resolve_expression(projection, scope, self.rules.find_visible("projection", aliases))
            match projection:
                case exp.Alias():
                    names = self._read_aliases([projection])
                    aliases.update(names)
                case exp.Column():
                    names = [self.rules.fold_identifier(projection.this)]
                case exp.Dot() if isinstance(projection.expression, exp.Identifier):
                    names = [self.rules.fold_identifier(projection.expression)]
                case exp.Aliases():
                    names = [self.rules.fold_identifier(name) for name in projection.aliases]
                case _:
                    names = [f"\0{id(projection)}"]
                    unnamed.update(names)
            output.columns.update(dict.fromkeys(names, ""))
        output.unnamed = frozenset(unnamed)
        return output

    def _resolve_star(self, node: exp.Expr, scope: Scope, *, used: bool = True) -> Source:
        star = node if isinstance(node, exp.Star) else node.this
        for part in star.args.get("replace") or ():
            self.resolve_expression(part, scope)
        return self.findings.expand_star(node, scope, used=used)

    def _read_aliases(self, projections: Iterable[exp.Expr]) -> list[str]:
        return [self.rules.fold_identifier(each.args["alias"]) for each in projections if isinstance(each, exp.Alias)]

    def _read_alias_columns(self, alias: exp.Expr | None) -> list[str]:
        columns = (alias.args.get("columns") or ()) if alias else ()
        names = [each.this if isinstance(each, exp.ColumnDef) else each for each in columns]
        return [self.rules.fold_identifier(name) for name in names if isinstance(name, exp.Identifier)]

    def _read_alias(self, alias: exp.Expr | None) -> str:
        return self.rules.fold_identifier(alias.this) if alias and isinstance(alias.this, exp.Identifier) else ""

    # FROM

    def resolve_from(self, node: exp.Expr, scope: Scope) -> None:
        """Add the sources in FROM, JOIN and LATERAL VIEW of `node` to `scope`."""
        if clause := node.args.get("from_"):
            scope.sources += self.resolve_sources(clause.this, scope)
        self._resolve_joins(node, scope)

    def _resolve_joins(self, node: exp.Expr, scope: Scope) -> None:
        joins = node.args.get("joins") or []
        for join in joins:
            left, right = list(scope.sources), self.resolve_sources(join.this, scope)
            scope.sources += right
            for column in join.args.get("using") or ():
                self.findings.note_using(column.this if isinstance(column, exp.Column) else column, left, right)
            if name := self._read_alias(join.args.get("alias")):  # Postgres' USING (id) AS name
                keys = [self.rules.fold_name(column.name) for column in join.args["using"]]
                scope.sources.append(Source(name, columns=dict.fromkeys(keys, "")))
        for lateral in node.args.get("laterals") or ():
            scope.sources += self.resolve_sources(lateral, scope)
        for join in joins:
            for condition in (join.args.get("on"), join.args.get("match_condition")):
                if condition:
                    self.resolve_expression(condition, scope)

    def resolve_sources(self, node: exp.Expr, before: Scope) -> list[Source]:
        """Return the sources that one item of FROM offers. `before` holds the sources before it."""
        alias = node.args.get("alias")
        match node:
            case exp.Table() if is_named_table(node):
                sources = [self._resolve_table(node, alias, before)]
            case exp.Subquery() if isinstance(node.this, exp.Table) or (
                isinstance(node.this, exp.Subquery) and isinstance(node.this.unnest(), exp.Table)
            ):
                sources = self.resolve_sources(node.this, before)
                if alias:
                    joined = self.findings.merge_sources(sources)
                    sources = [joined.rename(self._read_alias(alias), self._read_alias_columns(alias))]
            case exp.Subquery() | exp.Select() | exp.SetOperation():
                # Without LATERAL, a subquery sees only the names of the outer query.
                around = before if self.rules.lateral_from else before.parent
                sources = [self._resolve_derived(node, alias, around, before)]
            case exp.Lateral() if isinstance(node.this, exp.Subquery):
                sources = [self._resolve_derived(node.this, alias, before, before)]
            case exp.Final():
                sources = self.resolve_sources(node.this, before)
            case _:
                sources = [self._resolve_function(node, alias, before)]
        if not node.args.get("joins") and not node.args.get("laterals") and not node.args.get("pivots"):
            return sources
        joined_scope = Scope(before.parent, before.ctes, sources)
        self._resolve_joins(node, joined_scope)
        if pivots := node.args.get("pivots"):
            return [self._resolve_pivot(joined_scope.sources, pivots, before)]
        return joined_scope.sources

    def _resolve_derived(self, node: exp.Expr, alias: exp.Expr | None, around: Scope | None, before: Scope) -> Source:
        output = self.resolve_query(node, Scope(around, before.ctes))
        return output.rename(self._read_alias(alias), self._read_alias_columns(alias))

    def _resolve_table(self, node: exp.Table, alias: exp.Expr | None, before: Scope) -> Source:
        key, columns = self.rules.fold_identifier(node.parts[-1]), self._read_alias_columns(alias)
        if not node.args.get("db") and key in before.ctes:
            return before.ctes[key].rename(self._read_alias(alias) or key, columns)
        if self.rules.dual and not node.db and node.name.lower() == "dual":
            return Source()
        self.findings.note_read(node)
        return self.findings.make_table_source(node, self._read_alias(alias), columns)

    def _resolve_function(self, node: exp.Expr, alias: exp.Expr | None, before: Scope) -> Source:
        """Resolve a table function, VALUES, UNNEST or the like, whose arguments see the sources before it."""
        parts = [node.this, *node.args.get("rows_from", ())] if isinstance(node, exp.Table) else [node]
        for part in parts:
            function = part.this if isinstance(part, exp.Table) else part
            for argument in function.iter_expressions() if isinstance(function, exp.Expr) else ():
                is_model = isinstance(function, _MODEL_FUNCTIONS) and argument is function.this
                if not isinstance(argument, exp.TableAlias) and not is_model:
                    is_option = isinstance(argument, exp.EQ) and isinstance(argument.this, exp.Column)
                    self.resolve_expression(argument.expression if is_option else argument, before)
        if isinstance(node.this, exp.Anonymous) and self.findings.has_callable_table(node.this.name):
            table = exp.to_table(node.this.name)
            self.findings.note_read(table)
            return self.findings.make_table_source(table, self._read_alias(alias))
        columns = self._read_alias_columns(alias)
        name = self._read_alias(alias) or (columns[0] if columns else "")
        if isinstance(node, exp.Alias):
            name = self.rules.fold_identifier(node.args["alias"])
        output_columns = dict.fromkeys([*columns, *([name] if name else [])], "")
        if isinstance(offset := node.args.get("offset"), exp.Identifier):
            output_columns[self.rules.fold_identifier(offset)] = ""
        is_complete = bool(columns) and (isinstance(node, exp.Values) or isinstance(node.this, _SERIES))
        return Source(name, columns=output_columns, open=not is_complete)

    def _resolve_pivot(self, sources: list[Source], pivots: list[exp.Expr], before: Scope) -> Source:
        """Return the output of PIVOT and UNPIVOT, whose columns depend on the data."""
        name = sources[0].name if sources else ""
        for pivot in pivots:
            unpivoted = [Source(open=True)] if pivot.args.get("unpivot") else []
            inner = Scope(before.parent, before.ctes, [*sources, *unpivoted])
            self._resolve_clauses(pivot, inner, skip={"this", "alias", "columns", "into", "with_"})
            name = self._read_alias(pivot.args.get("alias")) or name
        return Source(name, open=True, bases=find_base_tables(sources))

    # Expressions

    def resolve_expression(self, node: exp.Expr, scope: Scope, visible: Visible | None = None) -> None:
        """Resolve all columns and subqueries of an expression. `visible` are the output aliases that it may name."""
        # A stack instead of recursion: thousands of ANDs make a tree thousands deep.
        stack: list[tuple[exp.Expr, Visible | None]] = [(node, visible)]
        while stack:
            each, allowed = stack.pop()
            match each:
                case exp.Column() if isinstance(each.this, exp.Star):
                    self._resolve_star(each, scope)
                case exp.Column():
                    parts = [part for part in each.parts if isinstance(part, exp.Identifier)]
                    if len(parts) == 1:
                        self.findings.note_bare_column(parts[0], scope, allowed)
                    elif parts:
                        self.findings.note_qualified_column(parts, scope)
                case exp.In() if self.rules.in_names_table and isinstance(each.args.get("field"), exp.Column):
                    names = dict(zip(("this", "db"), reversed(each.args["field"].parts), strict=False))
                    self._resolve_table(exp.Table(**names), None, scope)
                    stack.append((each.this, allowed))
                case exp.Columns() if isinstance(each.this, exp.Star):
                    self._resolve_star(each.this, scope)
                case exp.Select() | exp.SetOperation() | exp.Subquery() | exp.Table():
                    self.resolve_query(each, Scope(scope, scope.ctes))
                case exp.Comprehension():
                    self._resolve_comprehension(each, scope)
                case exp.Opclass():
                    stack.append((each.this, allowed))
                case exp.PropertyEQ() | exp.Kwarg():
                    stack.append((each.expression, allowed))
                case _:
                    if allowed and allowed.bare and not isinstance(each, _ALIAS_WRAPPERS):
                        allowed = None
                    stack.extend((child, allowed) for child in each.iter_expressions(reverse=True))

    def _resolve_comprehension(self, node: exp.Comprehension, scope: Scope) -> None:
        """Resolve a list comprehension of DuckDB, such as `[x + 1 for x in list if x > 0]`."""
        self.resolve_expression(node.args["iterator"], scope)
        variables = [
            self.rules.fold_identifier(each) for each in (node.expression, node.args.get("position")) if each
        ]
        inner = Scope(scope, scope.ctes, [Source(columns=dict.fromkeys(variables, ""))])
        for part in (node.this, node.args.get("condition")):
            if part:
                self.resolve_expression(part, inner)
