"""Finds the tables and columns that INSERT, UPDATE, DELETE, MERGE, COPY and definitions of tables read and write.

A target counts as written, and as read only if the statement mentions it again as a source.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from sqlchat.sql.columns import is_named_table
from sqlchat.sql.commands import DEFINED_AS_TABLES, ROUTINES
from sqlchat.sql.resolve import QueryResolver
from sqlchat.sql.scopes import Scope, Source

_ROW_VERSIONS = ("old", "new", "inserted", "deleted")
"""Names of the old and the new row in RETURNING and OUTPUT."""


class StatementResolver(QueryResolver):
    """Resolves any statement and records the results in `findings`."""

    def resolve_statement(self, node: exp.Expr) -> None:
        """Resolve one statement and record its names in `findings`."""
        is_query = isinstance(node, exp.Query | exp.UDTF | exp.Pivot)
        resolve = self.resolve_query if is_query else self.resolve_change
        resolve(node, Scope(None, {}))

    def resolve_change(self, node: exp.Expr, outer: Scope) -> Source:
        """Resolve a statement that is no query; return the columns of its RETURNING."""
        scope = Scope(None, self._resolve_ctes(node, outer) if node.args.get("with_") else outer.ctes)
        match node:
            case exp.Insert():
                self._resolve_insert(node, scope)
            case exp.MultitableInserts():
                self._resolve_inserts(node, scope)
            case exp.Update():
                self._resolve_update(node, scope)
            case exp.Delete():
                self._resolve_delete(node, scope)
            case exp.Merge():
                self._resolve_merge(node, scope)
            case exp.Copy():
                self._resolve_copy(node, scope)
            case exp.Create():
                self._resolve_create(node, scope)
            case exp.Alter() if node.args.get("kind") in DEFINED_AS_TABLES:
                self._resolve_alter(node, scope)
            case exp.Drop() if node.args.get("kind") in DEFINED_AS_TABLES:
                self._write_all([node.this, *(node.args.get("tables") or ())])
            case exp.TruncateTable():
                self._write_all(node.expressions)
            case exp.Cache():
                self._write_all([node.this])
                self._resolve_body(node.args.get("expression"), scope)
            case exp.Describe() if isinstance(node.this, exp.DML | exp.Merge):
                self.resolve_change(node.this, scope)
            case exp.Describe() | exp.Summarize() | exp.Export():
                self._resolve_body(node.this, scope)
                return Source(open=True)
            case exp.LoadData():
                self._write_all([node.this])
            case exp.Analyze():
                for table in (*(node.args.get("tables") or ()), node.this):
                    self._resolve_body(table, scope)
            case exp.Set() | exp.Declare():
                self._resolve_subqueries(node, scope)
            case exp.Execute():
                for argument in node.expressions:
                    self._resolve_subqueries(argument, scope)
            case exp.Block() | exp.IfBlock() | exp.WhileBlock():
                self._resolve_block(node, scope)
        if returning := node.args.get("returning"):
            if isinstance(into := returning.args.get("into"), exp.Identifier):
                self.findings.note_write(exp.Table(this=into.copy()))
            return self.resolve_projections(returning, self._add_row_versions(scope, _ROW_VERSIONS))
        return Source()

    def _add_row_versions(self, scope: Scope, versions: Iterable[str]) -> Scope:
        """Return `scope` inside one that offers its first source again under the names of row `versions`."""
        names = [self.rules.fold_name(name, quoted=False) for name in versions]
        rows = [Source(name, behind=tuple(scope.sources[:1])) for name in names]
        return Scope(Scope(None, scope.ctes, rows), scope.ctes, scope.sources)

    def _write_all(self, nodes: Iterable[object]) -> None:
        for node in nodes:
            target = node.this if isinstance(node, exp.Schema) else node
            if isinstance(target, exp.Table) and is_named_table(target):
                self.findings.note_write(target)

    def _resolve_body(self, node: object, scope: Scope) -> None:
        if isinstance(node, exp.Query | exp.UDTF | exp.Pivot | exp.Table):
            self.resolve_query(node, Scope(None, scope.ctes))

    def _resolve_target(self, node: exp.Expr) -> tuple[list[Source], list[exp.Expr]]:
        """Record the target as written; return it as a source for the statement, and its listed columns."""
        columns = list(node.expressions) if isinstance(node, exp.Schema) else []
        table = node.this if isinstance(node, exp.Schema) else node
        if not isinstance(table, exp.Table) or not is_named_table(table):
            return [Source(open=True)], columns
        self.findings.note_write(table)
        alias = table.args.get("alias")
        return [self.findings.make_table_source(table, self._read_alias(alias))], columns

    def _note_target_columns(
        self, columns: Iterable[exp.Expr], target: list[Source], ctes: dict[str, Source]
    ) -> None:
        scope = Scope(None, ctes, target)
        for column in columns:
            if isinstance(column, exp.Identifier):
                self.findings.note_bare_column(column, scope)
            else:
                self.resolve_expression(column, scope)

    def _resolve_insert(self, node: exp.Insert, scope: Scope) -> None:
        scope.sources, columns = self._resolve_target(node.this)
        self._note_target_columns(columns, scope.sources, scope.ctes)
        if isinstance(node.this, exp.Table) and (partition := node.this.args.get("partition")):
            self.resolve_expression(partition, scope)
        # Spark writes INSERT INTO t TABLE s.
        self._resolve_body(node.expression or node.args.get("source"), scope)
        if conflict := node.args.get("conflict"):
            # Its bare names are columns of the target; in MySQL, also columns of the inserted query.
            around = self._add_row_versions(scope, ["excluded"])
            if around.parent and conflict.args.get("duplicate"):
                around.parent.sources.append(Source(open=True))
            self.resolve_expression(conflict, around)

    def _resolve_inserts(self, node: exp.MultitableInserts, scope: Scope) -> None:
        """Resolve Hive's FROM ... INSERT and Snowflake's INSERT ALL, which have one source and several targets."""
        scope.sources = self.resolve_sources(node.args["source"], scope)
        for action in node.expressions:
            is_conditional = isinstance(action, exp.ConditionalInsert)
            if is_conditional and (condition := action.args.get("expression")):
                self.resolve_expression(condition, scope)
            insert = action.this if is_conditional else action
            target, columns = self._resolve_target(insert.this)
            self._note_target_columns(columns, target, scope.ctes)
            if isinstance(insert.expression, exp.Query | exp.Values):
                self.resolve_query(insert.expression, Scope(scope, scope.ctes))

    def _resolve_update(self, node: exp.Update, scope: Scope) -> None:
        scope.sources = self.resolve_sources(node.this, scope)
        updated = Scope(None, scope.ctes, list(scope.sources))
        self.resolve_from(node, scope)
        is_join = len(updated.sources) > 1
        targets = self._find_assigned_sources(node, updated) if is_join else self._find_updated_sources(scope)
        self._write_sources(targets, scope)
        for assignment in node.expressions:
            self._resolve_assignment(assignment, targets, scope)
        self._resolve_clauses(node, scope, skip={"with_", "this", "from_", "expressions", "returning"})

    def _find_updated_sources(self, scope: Scope) -> list[Source]:
        """Return the first source, or the one in FROM that T-SQL's UPDATE means by its alias or table."""
        target, *others = scope.sources
        same = [source for source in others if source.name == target.name and source.node is not None]
        if not same and self.rules.targets_by_table:
            same = [source for source in others if source.table and source.table.lower() == target.table.lower()]
        if len(same) != 1:
            return [target]
        if isinstance(target.node, exp.Table):
            self.findings.forget_read(target.node)
        scope.sources = others
        return same

    def _find_assigned_sources(self, node: exp.Update, scope: Scope) -> list[Source]:
        """Return the tables whose columns MySQL's UPDATE of a join sets."""
        targets: list[Source] = []
        for each in node.expressions:
            column = each.this
            if not isinstance(column, exp.Column):
                continue
            key = self.rules.fold_identifier(column.this)
            if qualifier := column.args.get("table"):
                source = scope.find_source(self.rules.fold_identifier(qualifier))
            else:
                owners = (each for each in scope.sources if (match := each.find(key)) and match.certain)
                source = next(owners, scope.sources[0])
            if source and source not in targets:
                targets.append(source)
        return targets

    def _write_sources(self, sources: list[Source], scope: Scope) -> None:
        """Record the targets as written. For a CTE or subquery, record the one table behind it."""
        for source in sources:
            if isinstance(source.node, exp.Table):
                self.findings.note_write(source.node)
            elif len(source.bases) == 1:
                self.findings.note_write(exp.to_table(source.bases[0]))

    def _resolve_assignment(self, node: exp.Expr, targets: list[Source], scope: Scope) -> None:
        if isinstance(node, exp.EQ):
            self.resolve_expression(node.this, Scope(scope, scope.ctes, targets))
            self.resolve_expression(node.expression, scope)
        else:
            self.resolve_expression(node, scope)

    def _resolve_delete(self, node: exp.Delete, scope: Scope) -> None:
        """Resolve `DELETE FROM t USING ...`, and DELETE with a join in MySQL and T-SQL."""
        listed = list(node.args.get("tables") or ())
        using = node.args.get("using") or []
        target = node.this if isinstance(node.this, exp.Expr) else None
        if target and using and target.args.get("joins"):
            listed = [target, *(join.this for join in target.args["joins"])]
        elif target:
            scope.sources = self.resolve_sources(target, scope)
        for source in using:
            scope.sources += self.resolve_sources(source, scope)
        if listed:
            names = [self.rules.fold_identifier(each.this) for each in listed if isinstance(each, exp.Table)]
            targets = [source for source in scope.sources if source.name in names]
        else:
            targets = self._find_updated_sources(scope)
        self._write_sources(targets, scope)
        self._resolve_clauses(node, scope, skip={"with_", "this", "using", "tables", "returning"})

    def _resolve_merge(self, node: exp.Merge, scope: Scope) -> None:
        target, _ = self._resolve_target(node.this)
        scope.sources = list(target)
        scope.sources += self.resolve_sources(node.args["using"], scope)
        if condition := node.args.get("on"):
            self.resolve_expression(condition, scope)
        for when in node.args["whens"].expressions:
            if condition := when.args.get("condition"):
                self.resolve_expression(condition, scope)
            action = when.args.get("then")
            if isinstance(action, exp.Update):
                for assignment in action.expressions:
                    self._resolve_assignment(assignment, target, scope)
            elif isinstance(action, exp.Insert):
                if isinstance(action.this, exp.Tuple):
                    self._note_target_columns(action.this.expressions, target, scope.ctes)
                if isinstance(action.expression, exp.Expr):
                    self.resolve_expression(action.expression, scope)

    def _resolve_copy(self, node: exp.Copy, scope: Scope) -> None:
        """Resolve COPY: `COPY t FROM file` and `COPY INTO t` write t, `COPY t TO file` reads it; queries are read."""
        scope.sources = []
        has_columns = isinstance(node.this, exp.Schema)
        table = node.this.this if has_columns else node.this
        if isinstance(table, exp.Table) and node.args.get("kind"):
            scope.sources, columns = self._resolve_target(node.this)
            self._note_target_columns(columns, scope.sources, scope.ctes)
        elif isinstance(table, exp.Table):
            scope.sources = self.resolve_sources(table, scope)
            self._note_target_columns(node.this.expressions if has_columns else (), scope.sources, scope.ctes)
        else:
            self._resolve_body(table, scope)
        for file in node.args.get("files") or ():
            self._resolve_body(file, scope)

    def _resolve_create(self, node: exp.Create, scope: Scope) -> None:
        if node.args.get("kind") == "INDEX" and isinstance(node.this, exp.Index) and node.this.args.get("table"):
            scope.sources, _ = self._resolve_target(node.this.args["table"])
            if parameters := node.this.args.get("params"):
                self.resolve_expression(parameters, scope)
            return
        if node.args.get("kind") in ROUTINES:
            self._resolve_routine(node, scope)
            return
        self._resolve_body(node.expression, scope)
        if properties := node.args.get("properties"):  # USING TEMPLATE (SELECT ...)
            self._resolve_subqueries(properties, scope)
        if node.args.get("kind") not in DEFINED_AS_TABLES:
            return
        self._write_all([node.this])
        if isinstance(node.this, exp.Schema):
            for column in node.this.expressions:
                if isinstance(column, exp.ColumnDef | exp.Identifier):
                    self.findings.note_column(column.name, column)
        for template in node.find_all(exp.LikeProperty, exp.Clone, exp.InheritsProperty):
            for table in (template.this, *template.expressions):
                if isinstance(table, exp.Table):
                    self.findings.note_read(table)
        self._write_all(each.this for each in node.find_all(exp.PartitionedOfProperty, exp.ToTableProperty))

    def _resolve_routine(self, node: exp.Create, scope: Scope) -> None:
        """Resolve the body of a function, procedure or macro. Its parameters are no columns there."""
        body = node.args.get("expression")
        names = [each.this if isinstance(each, exp.ColumnDef) else each for each in node.this.expressions]
        parameters = {self.rules.fold_identifier(name): "" for name in names if isinstance(name, exp.Identifier)}
        around = Scope(None, scope.ctes, [Source(columns=parameters)])
        if isinstance(body, exp.Block):
            self._resolve_block(body, around)
        elif isinstance(body, exp.Expr):
            self.resolve_expression(body, around)

    def _resolve_block(self, node: exp.Expr, scope: Scope) -> None:
        """Resolve the statements of BEGIN ... END, IF and WHILE, which see the parameters in `scope`."""
        if isinstance(node.this, exp.Expr):
            self._resolve_subqueries(node.this, scope)
        for part in (node, node.args.get("true"), node.args.get("false"), node.args.get("body")):
            for statement in part.expressions if isinstance(part, exp.Block) else ():
                self.resolve_query(statement, Scope(scope, scope.ctes))

    def _resolve_subqueries(self, node: exp.Expr, scope: Scope) -> None:
        """Resolve the queries inside an expression; its other names are variables."""
        for query in node.find_all(exp.Query):
            if query.find_ancestor(exp.Query) is None:
                self.resolve_query(query, Scope(None, scope.ctes))

    def _resolve_alter(self, node: exp.Alter, scope: Scope) -> None:
        self._write_all([node.this])
        for action in node.args.get("actions") or ():
            if isinstance(action, exp.AlterRename | exp.SwapTable):
                self._write_all([action.this])
            elif isinstance(action, exp.ColumnDef):
                self.findings.note_column(action.name, action)
