"""Rewrites statements that sqlglot cannot parse into statements that it can.

The new statements read and write the same tables (`command_forms.py`). They are never run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql import command_forms as forms
from sqlchat.sql.parse import parse, tokenize

MAX_DEPTH = 8
"""Most statements inside each other, such as an INSERT inside a CREATE RULE."""

DEFINED_AS_TABLES = {"TABLE", "VIEW", "MATERIALIZED VIEW", "DYNAMIC TABLE"}
ROUTINES = {"FUNCTION", "PROCEDURE", "MACRO"}
BLOCKS = (exp.Block, exp.IfBlock, exp.WhileBlock)
UNDERSTOOD = (
    exp.Query, exp.UDTF, exp.Pivot, exp.Insert, exp.MultitableInserts, exp.Update, exp.Delete, exp.Merge,
    exp.TruncateTable, exp.Cache, exp.Uncache, exp.Summarize, exp.LoadData, exp.Set, exp.Use, exp.Export,
    exp.Transaction, exp.Commit, exp.Rollback, exp.Pragma, exp.Kill, exp.Attach, exp.Detach, exp.Analyze, exp.Alter,
    exp.Execute, exp.Declare, exp.Install,
)  # fmt: skip
"""Statements that the resolver understands, or that name no table."""


class Statement(NamedTuple):
    """Holds a statement in a form that the resolver understands."""

    tree: exp.Expr | None
    """None for a statement without tables."""
    kind: str = ""
    """The first word, upper-case, of a rewritten statement; else ""."""
    offset: int = 0
    """Added to the offsets of its names, so that the names of all statements have the order of the text."""
    is_recursive_view: bool = False


def read_statements(sql: str, dialect: str) -> list[Statement]:
    """Return the statements of `sql` as trees that the resolver understands, in the order of the text.

    Raises SQLSyntaxError for a text that is no SQL, and SQLRefusedError for a statement whose tables cannot be found;
    else as `parse` does.
    """
    error = None
    try:
        trees = parse(sql, dialect)
        if all(is_understood(tree) for tree in trees):
            return [Statement(tree) for tree in trees]
    except SQLSyntaxError as exc:
        error = exc
    statements: list[Statement] = []
    reader = _Reader(dialect)
    for start, text in reader.split(sql):
        try:
            statements += [each._replace(offset=(start << 24) + each.offset) for each in reader.read(text)]
        except SQLSyntaxError as exc:
            raise error or exc from exc
    if not statements and error:
        raise error
    return statements


def is_understood(tree: exp.Expr) -> bool:
    """Whether the resolver finds all tables of the statement `tree`."""
    kind = tree.args.get("kind")
    match tree:
        case exp.Create() if kind in ROUTINES:
            body = tree.args.get("expression")
            if isinstance(body, exp.Block):
                return is_understood(body)
            return isinstance(body, exp.Expr) and not isinstance(body, exp.Literal | exp.Heredoc | exp.RawString)
        case exp.Create() if kind in DEFINED_AS_TABLES:
            body = tree.args.get("expression")
            return tree.find(exp.ExecuteAsProperty) is None and (
                body is None or isinstance(body, exp.Query | exp.UDTF | exp.Pivot | exp.Table)
            )
        case exp.Create():
            return kind != "TRIGGER"
        case exp.Drop():
            return kind not in ("TRIGGER", "POLICY", "RULE")
        case exp.Copy():
            source = tree.find(exp.Table)  # DuckDB's COPY FROM DATABASE has none
            return source is None or source.this.args.get("quoted") is True or source.name.upper() != "DATABASE"
        case exp.Show():
            return not any(isinstance(value, exp.Expr) for value in tree.args.values())
        case exp.Describe():
            return not isinstance(tree.this, exp.Command)
        case exp.IfBlock() | exp.WhileBlock() if isinstance(tree.this, exp.Alias):
            return False  # sqlglot took the first word of the statement for a name
        case exp.Block() | exp.IfBlock() | exp.WhileBlock():
            parts = [tree, tree.args.get("true"), tree.args.get("false"), tree.args.get("body")]
            inner = [each for part in parts if isinstance(part, exp.Block) for each in part.expressions]
            return all(is_understood(each) for each in inner)
    return isinstance(tree, UNDERSTOOD)


class _Reader:
    """Reads the statements of one text in `dialect`, and remembers the names of prepared ones."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.prepared: set[str] = set()

    def read(self, text: str, depth: int = 0) -> list[Statement]:
        """Return the trees of one statement, whose text has no semicolon at its end."""
        if depth > MAX_DEPTH:
            raise SQLRefusedError("This SQL is nested too deeply; give its statements one by one.")
        hidden = self._blank_texts(text)
        kind = re.match(r"\w*", hidden)[0].upper()  # type: ignore[index]
        if (rewritten := self._rewrite(text, hidden)) is not None:
            is_recursive_view = bool(forms.RECURSIVE_VIEW.fullmatch(hidden))
            inner = [
                each._replace(kind=kind, offset=start + each.offset, is_recursive_view=is_recursive_view)
                for start, part in self.split(rewritten)
                for each in self.read(part, depth + 1)
            ]
            return inner or [Statement(None, kind)]
        if any(form.fullmatch(hidden) for form in forms.OF_NO_TABLE):
            return [Statement(None, kind)]
        error: SQLSyntaxError | None = None
        try:
            trees = parse(text, self.dialect)
            if all(is_understood(tree) for tree in trees):
                return [Statement(tree) for tree in trees]
        except SQLSyntaxError as exc:
            error = exc
        plain = text
        for clause in forms.CLAUSES:
            for match in clause.finditer(hidden):
                plain = plain[: match.start()] + " " * len(match[0]) + plain[match.end() :]
        if plain != text:
            return self.read(plain, depth + 1)
        if error:
            raise error
        if isinstance(
            trees[0], exp.Command | exp.Copy | exp.Create | exp.Drop | exp.Describe | exp.Show | exp.IfBlock
        ):
            words = " ".join(hidden.split()[:3])[:60]
            raise SQLRefusedError(f"What the statement {words!r} reads and writes is not known here.")
        raise SQLSyntaxError(f"{text.split(maxsplit=1)[0][:40]!r} begins no SQL statement that is known here.")

    def split(self, sql: str) -> Iterator[tuple[int, str]]:
        """Yield the offset and text of each statement. Semicolons in brackets and bodies of routines end none."""
        hidden = self._blank_texts(sql)
        start = depth = 0
        for match in re.finditer(r"[;()]|$", hidden):
            depth += {"(": 1, ")": -1}.get(match[0], 0)
            if match[0] in ("(", ")") or (depth > 0 and match[0]):
                continue
            words = hidden[start : match.start()]
            if match[0] and re.match(r"\s*CREATE\b.*?\b(?:TRIGGER|FUNCTION|PROCEDURE|EVENT)\b", words, forms.FLAGS):
                opened = re.findall(r"\b(?:BEGIN|CASE|END)\b", words, re.IGNORECASE)
                if sum(-1 if word.upper() == "END" else 1 for word in opened) > 0:
                    continue
            if words.strip():
                blank = len(words) - len(words.lstrip())
                yield start + blank, sql[start + blank : match.start()].rstrip()
            start = match.end()

    def _rewrite(self, text: str, hidden: str) -> str | None:
        """Return statements with the same tables; None if no known form matches. Raises SQLRefusedError."""
        if prepare := re.match(rf"PREPARE\s+({forms.NAME})", hidden, forms.FLAGS):
            self.prepared.add(prepare[1].lower())
        if (match := forms.EXECUTE.fullmatch(hidden)) and self.dialect != "tsql":
            if match["name"].lower() not in self.prepared:
                raise SQLRefusedError(f"This text does not say what {match['name'][:60]} runs, which it executes.")
            return f"SELECT {match['rest'] or 1}"
        if match := forms.TEXT_OF_STATEMENT.fullmatch(hidden):
            return _unquote(text[slice(*match.span("text"))])
        if match := forms.RECURSIVE_VIEW.fullmatch(hidden):
            table, columns, query = (text[slice(*match.span(part))] for part in ("t", "c", "q"))
            name = re.split(r"\s*\.\s*", table)[-1]
            cte = f"WITH RECURSIVE {name} ({columns}) AS ({query})"
            return f"CREATE VIEW {table} ({columns}) AS {cte} SELECT {columns} FROM {name}"  # noqa: S608 - never runs
        if match := forms.TRIGGER.fullmatch(hidden):
            return self._read_trigger(text, hidden, match)
        if match := forms.RULE.fullmatch(hidden):
            actions = text[slice(*match.span("q"))]
            if actions.startswith("("):
                actions = actions.strip()[1:-1]
            actions = re.sub(r"(?i)^\s*NOTHING\s*$", "", actions)
            conditions = [text[slice(*match.span("condition"))]] if match["condition"] else []
            return _write_change(match["t"], conditions) + ";" + actions
        if match := forms.POLICY.fullmatch(hidden):
            return _write_change(match["t"], _find_brackets(text, hidden, r"\b(?:USING|CHECK)\s*\("))
        if match := forms.ROUTINE.fullmatch(hidden):
            return self._read_routine(text, hidden, match.start("parameters"))
        if match := forms.EVENT.fullmatch(hidden):
            return _strip_block(text[slice(*match.span("q"))])
        for form, instead in forms.REWRITTEN:
            if match := form.fullmatch(hidden):
                parts = {part: text[slice(*match.span(part))] for part in match.groupdict()}
                if pairs := parts.get("pairs"):
                    names = re.split(r"\s*,\s*|" + forms.BEHIND_NAMES.pattern, pairs, flags=forms.FLAGS)
                    parts["pairs"] = ", ".join(filter(None, names))
                return instead.format(**parts) + (f"; DROP TABLE {parts['u']}" if "u" in parts else "")
        return None

    def _read_trigger(self, text: str, hidden: str, match: re.Match[str]) -> str:
        rest = match.start("rest")
        conditions = []
        if condition := forms.TRIGGER_CONDITION.search(hidden, rest):
            conditions.append(text[slice(*condition.span(1))])
        if columns := re.search(r"\bUPDATE\s+OF\s+(.+?)\s+(?:OR\s+\w+\s+)?ON\b", hidden[:rest], forms.FLAGS):
            conditions.insert(0, text[slice(*columns.span(1))])
        touched = _write_change(match["t"], conditions)
        if forms.TRIGGER_CALL.search(hidden, rest):
            return touched
        body = forms.TRIGGER_BODY.search(hidden, rest)
        if body is None:
            raise SQLRefusedError("The body of this trigger is not understood.")
        return touched + ";" + _strip_block(text[body.start() if body[0].upper() == "BEGIN" else body.end() :])

    def _read_routine(self, text: str, hidden: str, opening: int) -> str | None:
        """Return a routine's statements; None if sqlglot can parse it. Raises SQLRefusedError if it is not SQL."""
        after = _find_closing(hidden, opening) + 1
        hidden, text = hidden[after:], text[after:]
        clause = re.search(r"\bLANGUAGE\s+('?\w+)", text, forms.FLAGS)
        language = clause[1].strip("'").lower() if clause else ""
        if language not in ("", "sql"):
            raise SQLRefusedError(
                f"The body of this routine is in {language}, of which it is not known what it touches."
            )
        if body := re.search(r"\bBEGIN\s+ATOMIC\b" if language else r"\bBEGIN\b", hidden, forms.FLAGS):
            return _strip_block(text[body.start() :])
        if body := re.search(r"\bRETURN\s+(?!S\b)", hidden, forms.FLAGS):
            return "SELECT " + text[body.end() :]
        if language and (body := re.search(r"\bAS\s+(\$\w*\$|'|\")", text, forms.FLAGS)):
            for token in self._read_tokens(text):
                if token.start >= body.start(1) and token.token_type in _TEXTS:
                    return _unquote(text[token.start : token.end + 1]) or "SELECT 1"
        return None

    def _blank_texts(self, sql: str) -> str:
        """Return `sql` with blanks for comments and the contents of strings."""
        hidden = [" " if char != "\n" else char for char in sql]
        for token in self._read_tokens(sql):
            if token.token_type in _TEXTS:
                hidden[token.start] = hidden[token.end] = "'"
            else:
                hidden[token.start : token.end + 1] = sql[token.start : token.end + 1]
        return "".join(hidden)

    def _read_tokens(self, sql: str) -> list[Token]:
        """Return sqlglot's tokens, and those of the text that it does not split after the first word of a command."""
        tokens: list[Token] = []
        start = 0
        for token in tokenize(sql, self.dialect):
            piece = sql[start : token.end + 1]
            if token.token_type == TokenType.STRING and token.text.strip() == piece.strip():
                # A bracket before it prevents that its first word begins a command again.
                inner = tokenize("(" + piece, self.dialect)[1:]
                tokens += [
                    Token(each.token_type, each.text, start=each.start + start - 1, end=each.end + start - 1)
                    for each in inner
                ]
            else:
                tokens.append(token)
            start = token.end + 1
        return tokens


_TEXTS = {
    TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.RAW_STRING, TokenType.NATIONAL_STRING,
    TokenType.BYTE_STRING, TokenType.HEX_STRING, TokenType.BIT_STRING, TokenType.UNICODE_STRING,
}  # fmt: skip


def _write_change(table: str, conditions: list[str]) -> str:
    """Return a statement that writes `table` and reads `conditions` about its old and new rows."""
    returning = f" RETURNING {', '.join(conditions)}" if conditions else ""
    return f"DELETE FROM {table}{returning}"  # noqa: S608 - never runs


def _find_closing(hidden: str, opening: int) -> int:
    """Return the offset of the bracket that closes the one at `opening`. Raises SQLSyntaxError if there is none."""
    depth = 0
    for match in re.compile("[()]").finditer(hidden, opening):
        depth += 1 if match[0] == "(" else -1
        if not depth:
            return match.start()
    raise SQLSyntaxError("A bracket in this SQL is not closed.")


def _find_brackets(text: str, hidden: str, before: str) -> list[str]:
    """Return the texts in the brackets that the pattern `before` opens, with their brackets."""
    opened = [match.end() - 1 for match in re.finditer(before, hidden, re.IGNORECASE)]
    return [text[at : _find_closing(hidden, at) + 1] for at in opened]


def _strip_block(body: str) -> str:
    """Return the statements between BEGIN and END."""
    inside = re.fullmatch(r"\s*BEGIN\b(?:\s+ATOMIC\b)?(.*)\bEND\s*;?\s*", body, forms.FLAGS)
    return inside[1] if inside else body


def _unquote(text: str) -> str:
    """Return the value of a string literal."""
    if dollar := re.fullmatch(r"(\$\w*\$)(.*)\1", text, re.DOTALL):
        return dollar[2]
    return text.strip()[1:-1].replace(text[:1] * 2, text[:1])
