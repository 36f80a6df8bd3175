"""Parses a text to sqlglot's trees, with bounds on the cost.

Callers run it in a process with a deadline: the bounds refuse only forms that are known to be slow.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.bounds import check_bounds
from sqlchat.sql.lexer import Lexeme, check_text, find_position
from sqlchat.sql.postgres_forms import write_plainly

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # its warnings quote the SQL, which may hold data

UNREADABLE = (
    "This SQL cannot be read here: {what}. If the database itself takes it, the form is not known here yet; write it "
    "in another way."
)
MISSING = re.compile(r"Missing (.+) from \d+:(\d+)")

_shared: ContextVar[dict[tuple[str, str, bool], list[exp.Expr]] | None] = ContextVar("_shared", default=None)


@contextlib.contextmanager
def share_trees() -> Iterator[None]:
    """Parse each text only once within this context. Callers must not change the trees."""
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def parse(sql: str, dialect: str, *, exact: bool = False) -> list[exp.Expr]:
    """Parse `sql` in sqlglot's `dialect`; return one tree for each statement that is not empty, at least one.

    Unless `exact`, Postgres' forms that sqlglot cannot parse are replaced by others (`postgres_forms.py`).

    Raises SQLRefusedError for a text that is too long, nested too deeply or has control characters, and
    SQLSyntaxError (`line` and `column` from 1, if known) for a text that is no SQL.
    """
    trees_by_text = _shared.get()
    if trees_by_text is None:
        return _parse(sql, dialect, exact=exact)
    key = sql, dialect, exact
    if key not in trees_by_text:
        trees_by_text[key] = _parse(sql, dialect, exact=exact)
    return list(trees_by_text[key])


def _parse(sql: str, dialect: str, *, exact: bool) -> list[exp.Expr]:
    join_aliases: Mapping[int, Lexeme] = {}
    if dialect == "postgres" and not exact:
        sql, _, join_aliases = write_plainly(sql)
    tokens = tokenize(sql, dialect)
    if dialect in ("mysql", "postgres"):
        tokens = drop_clauses(tokens)
    if dialect == "mysql":
        tokens = bracket_values_queries(tokens)
    elif dialect in ("spark", "databricks"):
        tokens = name_window_calls(tokens)
    sqlglot_dialect = Dialect.get_or_raise(dialect)
    check_bounds(tokens, sqlglot_dialect.parser_class.TYPE_TOKENS)
    try:
        trees = [
            tree
            for tree in sqlglot_dialect.parser().parse(tokens, sql)
            if tree is not None and not isinstance(tree, exp.Semicolon)
        ]
    except ParseError as exc:
        raise _make_syntax_error(exc) from exc
    except RecursionError as exc:
        raise SQLRefusedError("This SQL is nested too deeply; flatten it, for instance with WITH.") from exc
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
        # sqlglot fails on some malformed texts instead of reporting them.
        raise SQLSyntaxError("This text is no SQL that can be understood.") from exc
    if not trees:
        raise SQLSyntaxError("There is no SQL statement in this text.", line=1, column=1)
    for join in (join for tree in trees for join in tree.find_all(exp.Join)) if join_aliases else ():
        columns = [each.find(exp.Identifier) for each in join.args.get("using") or ()]
        start = columns[-1].meta.get("start") if columns and columns[-1] else None
        if start is not None and (alias := join_aliases.get(start)):
            name = exp.Identifier(this=alias.value, quoted=alias.kind == "name")
            join.set("alias", exp.TableAlias(this=name))
    return trees


def bracket_values_queries(tokens: list[Token]) -> list[Token]:
    """Put brackets around each MySQL query that begins with VALUES, which sqlglot takes for a call."""
    bracketed = list[Token]()
    depth, open_at = 0, list[int]()
    for at, token in enumerate([*tokens, None]):
        kind = token.token_type if token else TokenType.SEMICOLON
        is_end = kind is TokenType.SEMICOLON or (kind is TokenType.R_PAREN and depth)
        if is_end and open_at and open_at[-1] == depth:
            open_at.pop()
            bracketed.append(_make_bracket(TokenType.R_PAREN, ")", bracketed[-1]))
        if token is None:
            break
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(kind, 0)
        before = [each.token_type for each in tokens[max(at - 2, 0) : at]]
        begins = not before or before[-1] is TokenType.SEMICOLON or before == [TokenType.ALIAS, TokenType.L_PAREN]
        if kind is TokenType.VALUES and begins:
            open_at.append(depth)
            bracketed.append(_make_bracket(TokenType.L_PAREN, "(", token))
        bracketed.append(token)
    return bracketed


def name_window_calls(tokens: list[Token]) -> list[Token]:
    """Make `window(` a call in Spark: in `GROUP BY window(...)`, sqlglot takes it for a clause."""
    return [
        Token(TokenType.VAR, token.text, token.line, token.col, token.start, token.end)
        if token.token_type is TokenType.WINDOW and after.token_type is TokenType.L_PAREN
        else token
        for token, after in zip(tokens, [*tokens[1:], *tokens[-1:]], strict=True)
    ]


def drop_clauses(tokens: list[Token]) -> list[Token]:
    """Drop clauses of literals that sqlglot does not read: `DEFAULT '0' ON EMPTY`, and LIMIT after SEPARATOR."""
    words, remaining, in_columns = [token.text.lower() for token in tokens], list[Token](), [False]
    skip = 0
    for at, (word, token) in enumerate(zip(words, tokens, strict=True)):
        if token.token_type is TokenType.L_PAREN:
            in_columns.append(at > 0 and words[at - 1] == "columns")
        elif token.token_type is TokenType.R_PAREN and len(in_columns) > 1:
            in_columns.pop()
        elif in_columns[-1] and word == "exists" and words[at + 1 : at + 2] == ["path"]:
            skip = 1
        elif in_columns[-1] and not skip and word in ("null", "error", "default"):
            is_default = word == "default" and tokens[at + 1].token_type in (TokenType.STRING, TokenType.NUMBER)
            end = at + 1 + is_default
            if (is_default or word != "default") and words[end : end + 2] in (["on", "empty"], ["on", "error"]):
                skip = end + 2 - at
        elif word == "limit" and words[max(at - 2, 0)] == "separator":
            skip = 2 * (tokens[at + 1].token_type is TokenType.NUMBER)
        if skip:
            skip -= 1
        else:
            remaining.append(token)
    return remaining


def _make_bracket(kind: TokenType, text: str, near: Token) -> Token:
    return Token(kind, text, near.line, near.col, near.start, near.end)


def tokenize(sql: str, dialect: str) -> list[Token]:
    """Split `sql` as sqlglot does, without comments. Raises as `parse` does."""
    check_text(sql)
    try:
        return Dialect.get_or_raise(dialect).tokenize(sql)
    except TokenError as exc:
        missing = MISSING.search(str(exc.__context__ or exc))
        if missing is None:
            raise SQLSyntaxError("A literal in this SQL is malformed.") from exc
        line, column = find_position(sql, int(missing[2]))
        raise SQLSyntaxError(
            f"A text, name or comment that begins in line {line} lacks its closing {missing[1]}.",
            line=line,
            column=column,
        ) from exc


def _make_syntax_error(exc: ParseError) -> SQLSyntaxError:
    if not exc.errors:
        return SQLSyntaxError("This text is no SQL that can be understood.")
    first = exc.errors[0]
    line, column, near = first.get("line"), first.get("col"), str(first.get("highlight") or "")
    what = str(first.get("description") or "not understood").partition(" for <class")[0].partition(" but got <")[0]
    what = "unexpected word or sign" if what.startswith("Invalid expression") else what.replace("keyword: ", "")
    what = what[:1].lower() + what[1:]
    if not line or not column:
        return SQLSyntaxError(UNREADABLE.format(what=what))
    column = max(column - len(near) + 1, 1)  # sqlglot counts to the end of the word
    what = f"{what} in line {line}, column {column}, near {near[:60]!r}"
    return SQLSyntaxError(UNREADABLE.format(what=what), line=line, column=column)
