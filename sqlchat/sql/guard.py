"""Checks that a text is one statement that only reads. It is the first of three layers before a database.

`check` refuses everything that its lists do not allow. It checks twice, since the database runs no tree of sqlglot:

- the tree: its root must be a query, and each node of a class that only reads (`guards/allowed_nodes.py`);
- the text, split as the database splits it (`lexer.py`, `agreement.py`): one statement, each `name(` a function on
  the database's allow-list, no INTO, no lock, no name of a secret.

Postgres also calls a function for `alias.name` and `(value).name` (`attributes.py`), and a function may be named by a
keyword (`calls.py`).

A user-defined view may call anything: the engine's own locks must stop that. Casts to `regclass` and similar types
are allowed: they only look up names. EXPLAIN ANALYZE is allowed: the query that it runs is checked too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlglot import exp

from sqlchat.errors import DialectUnknownError, SQLRefusedError
from sqlchat.sql.agreement import check_agreement
from sqlchat.sql.attributes import check_attributes
from sqlchat.sql.calls import Layout, check_tree, find_calls
from sqlchat.sql.catalog import Catalog, OwnNames, shorten_name
from sqlchat.sql.guards import duckdb, mysql, postgres, spark, sqlite
from sqlchat.sql.guards.allowed_nodes import NODES, ROOTS
from sqlchat.sql.guards.rules import Rules
from sqlchat.sql.lexer import Lexeme, make_placeholder_error, split_lexemes
from sqlchat.sql.parse import parse
from sqlchat.sql.policies.own import BEHIND, refuse_volatile
from sqlchat.sql.xpaths import check_xpaths

RULES = {
    "postgres": postgres.RULES,
    "sqlite": sqlite.RULES,
    "duckdb": duckdb.RULES,
    "mysql": mysql.RULES,
    "spark": spark.RULES,
}
NO_OWN_NAMES = OwnNames()
OVERLOADED = "this database has a function of its own of that name, which may do more than read"
USING_OPERATORS = frozenset(BEHIND) | {
    "cast", "operator", "any", "some", "all", "by", "union", "intersect", "except"
}  # fmt: skip
READS_ONLY = "only a single statement that reads (SELECT, VALUES, EXPLAIN and their like) may run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Describes a statement that may run."""

    kind: str
    """`SELECT` for every query, else the statement's first word, such as `EXPLAIN` or `SHOW`."""
    is_plannable: bool
    """Whether EXPLAIN can be put in front of it."""
    analyzed: str = field(default="", compare=False)
    """The query that an EXPLAIN ANALYZE runs."""
    is_plain: bool = field(default=False, compare=False)
    """Whether it uses no function, operator or cast, so that no user-defined object can change its meaning."""


def check(sql: str, dialect: str, functions: frozenset[str] | None = None, catalog: Catalog | None = None) -> Verdict:
    """Judge `sql` for a database of `dialect` (a key of RULES).

    `functions` are the lower-case names that the database itself declares harmless (Postgres: from `pg_proc`). They
    replace the built-in list; dangerous ones stay refused. `catalog` is the part of the database's catalog that `sql`
    mentions (`Catalog.mentioned_in`). Without it, Postgres' names after a dot pass only if they are outputs of the
    query itself or functions that may be called.

    Raises SQLRefusedError with the reason, SQLSyntaxError if the text is no SQL, and DialectUnknownError if there are
    no rules for `dialect`.
    """
    rules = RULES.get(dialect)
    if rules is None:
        raise DialectUnknownError(f"SQL of the dialect {dialect!r} cannot be run here, only translated.")
    words = _read_one_statement(split_lexemes(sql, dialect))
    first = words[0].value if words[0].kind == "word" else ""
    if read_statement := rules.statements.get(first):
        statement = read_statement(words)
        if isinstance(statement, str):
            _check_names(words, rules, anywhere=True)
            _check_clauses(words)
            return Verdict(statement, is_plannable=False)
        start = words[statement.at].start
        # Blanks keep the line and column of the query.
        _check_query(re.sub(r"[^\n]", " ", sql[:start]) + sql[start:], dialect, rules, functions, catalog)
        is_run = any(word.value in ("analyze", "analyse") for word in words[: statement.at])
        return Verdict(statement.kind, is_plannable=False, analyzed=sql[start:] if is_run else "")
    _check_query(sql, dialect, rules, functions, catalog)
    return Verdict("SELECT", is_plannable=True, is_plain=_is_plain(words))


def _is_plain(words: Sequence[Lexeme]) -> bool:
    """Whether the words are only names, literals and clauses, as in `SELECT id, name FROM users LIMIT 5`."""
    for before, word in pairwise((Lexeme("sign", ",", 0, 0), *words)):
        if word.kind in ("word", "name") and word.value in USING_OPERATORS:
            return False
        if word.kind == "string" and before.kind != "sign":  # a type may stand before it
            return False
        if word.kind == "sign" and word.text not in ",*":
            return False
    return True


def find_unknown_functions(sql: str, dialect: str) -> tuple[str, ...]:
    """Return the functions that one query calls and the built-in list of `dialect` lacks; none without such a list.

    Raises SQLSyntaxError and SQLRefusedError.
    """
    rules = RULES.get(dialect)
    if rules is None:
        return ()
    words = split_lexemes(sql, dialect)
    names = dict.fromkeys(words[at].value for at in find_calls(Layout(words, rules), parse(sql, dialect)[0]))
    return tuple(name for name in names if name not in rules.functions | rules.grammar)


def check_calls(sql: str, dialect: str, functions: frozenset[str] | None = None) -> None:
    """Judge only the calls of a query or of the query in a CREATE VIEW; `functions` as for `check`.

    Raises SQLRefusedError for a function that is not allowed, SQLSyntaxError if the text is no SQL.
    """
    words = split_lexemes(sql, dialect)
    if words and words[0].value == "create":
        words = words[next((at for at, word in enumerate(words) if (word.kind, word.value) == ("word", "as")), 0) :]
    _check_calls(words, parse(sql, dialect)[0], RULES[dialect], functions)


def _read_one_statement(words: Sequence[Lexeme]) -> Sequence[Lexeme]:
    """Return the lexemes without the semicolons at the end. Raises SQLRefusedError unless they are one statement."""
    end = len(words)
    while end and words[end - 1].text == ";":
        end -= 1
    if not end:
        raise SQLRefusedError("There is no SQL statement in this text.")
    if any(word.text == ";" for word in words[:end]):
        raise SQLRefusedError("Several statements in one text are not allowed; send them one by one.")
    return words[:end]


def _check_query(
    sql: str, dialect: str, rules: Rules, functions: frozenset[str] | None, catalog: Catalog | None
) -> None:
    lexemes = split_lexemes(sql, dialect)
    words = _read_one_statement(lexemes)
    start = next((word for word in words if word.text != "("), words[0])
    if start.kind != "word" or start.value not in rules.starts:
        raise SQLRefusedError(f"{start.text[:40]!r} does not begin a query: {READS_ONLY}.")
    check_agreement(sql, dialect, lexemes)
    _check_names(words, rules)
    _check_clauses(words)
    trees = parse(sql, dialect)
    if len(trees) != 1:
        raise SQLRefusedError("Several statements in one text are not allowed; send them one by one.")
    own = NO_OWN_NAMES if catalog is None else catalog.own
    _check_tree(trees[0], rules, _check_calls(words, trees[0], rules, functions, own))
    if catalog is not None:
        refuse_volatile(words, trees[0], catalog)
    if rules.attributes:
        check_xpaths(words)
        allowed = rules.functions if functions is None else functions
        check_attributes(
            words, trees[0], rules, lambda name: name in allowed and not rules.dangers.fullmatch(name), catalog
        )
    if rules.files is not None:
        _check_files(trees[0], words, rules.files)


def _check_tree(tree: exp.Expr, rules: Rules, calls: set[int]) -> None:
    """Refuse nodes that are not allowed. `calls` are the offsets of allowed calls, of any class of node."""
    if type(tree) not in ROOTS:
        raise SQLRefusedError(f"{_describe_node(tree)} is not allowed: {READS_ONLY}.")
    for node in tree.walk():
        if isinstance(node, exp.Table) and rules.hidden.fullmatch(node.name.lower()):  # SQLite takes 'x' for a name
            raise _make_hidden_error(node.name)
        if isinstance(node, exp.Placeholder | exp.Parameter):
            raise make_placeholder_error(node.sql())
        if isinstance(node, exp.XMLTable) and not isinstance(node.parent, exp.Table | exp.Lateral):
            raise SQLRefusedError("XMLTABLE is a source of rows: it stands in FROM.")
        if type(node) not in NODES and not (isinstance(node, exp.Func) and node.meta.get("start") in calls):
            raise SQLRefusedError(f"{_describe_node(node)} is not allowed in a query that only reads.")


def _describe_node(node: exp.Expr) -> str:
    """Return a node's class as words: `ForeignKey` becomes `FOREIGN KEY`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).upper()


def _check_names(words: Sequence[Lexeme], rules: Rules, *, anywhere: bool = False) -> None:
    """Refuse names that are not allowed. Names of schemas count only before a dot, unless `anywhere`."""
    for word, after in zip(words, [*words[1:], None], strict=True):
        if word.kind == "sign":
            if rules.signs.fullmatch(word.text):
                raise SQLRefusedError(rules.sign_reason)
        elif word.kind in ("word", "name"):
            name = word.value.lower()
            if rules.hidden.fullmatch(name):
                raise _make_hidden_error(name)
            if name in rules.hidden_schemas and (anywhere or (after is not None and after.text == ".")):
                raise SQLRefusedError(f"The schema {name!r} is not allowed: it belongs to the system.")


def _make_hidden_error(name: str) -> SQLRefusedError:
    return SQLRefusedError(f"{name[:80]!r} is not allowed: it holds what queries have no business with.")


def _check_clauses(words: Sequence[Lexeme]) -> None:
    """Refuse words that write or lock, even if the tree does not show them. Raises SQLRefusedError."""
    texts = [word.value if word.kind == "word" else word.text for word in words] + [""] * 8
    for at, word in enumerate(texts):
        before = texts[at - 1] if at else ""
        if word == "into" and before not in ("as", ".") and texts[at + 1] != "name":
            raise SQLRefusedError("INTO is not allowed: a query must not write its result anywhere.")
        if word == "for" and before not in ("as", ".") and texts[at + 2] != "in":
            rest = texts[at + 1 : at + 3]
            if rest[0] in ("update", "share") or rest in (["no", "key"], ["key", "share"]):
                raise SQLRefusedError("FOR UPDATE and FOR SHARE are not allowed: a query must not lock rows.")
        if before == "(" and (
            (word, texts[at + 1]) in (("insert", "into"), ("merge", "into"), ("delete", "from"))
            or (word == "update" and "set" in texts[at + 1 : at + 8])
        ):
            raise SQLRefusedError(f"{word.upper()} is not allowed: {READS_ONLY}.")


def _check_calls(
    words: Sequence[Lexeme],
    tree: exp.Expr,
    rules: Rules,
    functions: frozenset[str] | None,
    own: OwnNames = NO_OWN_NAMES,
) -> set[int]:
    """Refuse each call of a function that is not allowed; return the offsets of the allowed calls."""
    allowed = rules.functions if functions is None else functions
    layout, calls = Layout(words, rules), set()
    for at in find_calls(layout, tree):
        word = words[at]
        name = shorten_name(word.value) if rules.attributes else word.value
        schema = _read_schema(words, at)
        if name == "operator" and schema is None and word.kind == "word" and name in rules.grammar:
            _check_operator(words[at + 2 :], allowed)
            calls.add(word.start)
            continue
        if schema is None or rules.methods:
            is_grammar = schema is None and word.kind == "word" and name in rules.grammar
            is_allowed = name in allowed or (is_grammar and name not in own.functions)
        else:
            is_allowed = (schema in rules.schemas and name in allowed) or f"{schema}.{name}" in allowed
        if not is_allowed or rules.dangers.fullmatch(name):
            shown = ".".join(filter(None, (schema, name)))[:80]
            is_own = name in own.functions and (rules.methods or schema is None)
            reason = _explain_own(name[:80], rules) if is_own else _explain_refusal(shown, rules)
            raise SQLRefusedError(f"The function {shown!r} is not allowed: {reason}.")
        calls.add(word.start)
    check_tree(layout, tree, calls)
    return calls


def _explain_own(name: str, rules: Rules) -> str:
    return OVERLOADED + (f"; the built-in one, if it is meant, is pg_catalog.{name}" if rules.attributes else "")


def _explain_refusal(name: str, rules: Rules) -> str:
    """Return the reason why `name` may not be called, and a substitute if there is one."""
    reason = "it is not among those known to do nothing but read"
    if rules.others is not None and "." not in name and not rules.others.fullmatch(name):
        reason = f"{rules.engine} has no such function"
    if name in rules.instead:
        return f"{reason}; in {rules.engine}, write {rules.instead[name]}"
    if rules.dangers.fullmatch(name):
        return reason
    if nearest := difflib.get_close_matches(name, rules.functions, 1, 0.8):
        reason = f"{reason}; a near one is {nearest[0]}()"
    return f"{reason}; {rules.ways_out}" if rules.ways_out else reason


def _read_schema(words: Sequence[Lexeme], at: int) -> str | None:
    """Return the qualifier of the name at `at`, such as `a.b` for `a.b.name`; None if it has none."""
    parts: list[str] = []
    while at >= 2 and words[at - 1].text == ".":
        parts.insert(0, words[at - 2].value)
        at -= 2
    return ".".join(parts) if parts else None


def _check_operator(inside: Sequence[Lexeme], allowed: frozenset[str]) -> None:
    """Refuse `OPERATOR(` unless one operator follows, without a schema, of pg_catalog, or in `allowed`."""
    start = 2 if len(inside) > 1 and inside[1].text == "." else 0
    end = start
    while end < len(inside) and inside[end].kind == "sign" and inside[end].text not in "(),.":
        end += 1
    if end == start or end == len(inside) or inside[end].text != ")":
        raise SQLRefusedError("The function 'operator' is not allowed: OPERATOR() takes the signs of one operator.")
    name = f"{inside[0].value}.{''.join(word.text for word in inside[start:end])}"
    if start and inside[0].value != "pg_catalog" and name not in allowed:
        raise SQLRefusedError(
            f"The operator {name[:80]} is not allowed; Postgres' own are, and those of well-known extensions."
        )


def _check_files(tree: exp.Expr, words: Sequence[Lexeme], files: re.Pattern[str]) -> None:
    """Refuse files as tables: DuckDB opens `FROM 'x.csv'` and `FROM x.csv`, Spark ``FROM csv.`x` ``."""
    strings = {word.start for word in words if word.kind == "string"}
    if any(isinstance(node.this, exp.Literal) for node in tree.find_all(exp.Summarize)):
        raise SQLRefusedError("SUMMARIZE takes a table or a query: files cannot be read by queries.")
    for table in tree.find_all(exp.Table):
        name = ".".join(part.name for part in table.parts)
        if files.fullmatch(name) or any(part.meta.get("start") in strings for part in table.parts):
            raise SQLRefusedError(f"{name[:80]!r} is not allowed as a table: files cannot be read by queries.")
