"""Writes the SQL that is sent to Postgres before, around and after a given text. Pure text, no driver."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlchat.connections.postgres.csv import OPTIONS, Shape
from sqlchat.connections.postgres.definitions import ExpectedDefinitions
from sqlchat.connections.postgres.errors import ROW_TOO_LARGE
from sqlchat.connections.postgres.session import READING_ROLE, Session
from sqlchat.connections.servers.connection import cut_end, write_comment
from sqlchat.errors import ConnectionConfigError

PORTAL = "sqlchat"
OPEN = f"""DO $sqlchat$ DECLARE portal pg_catalog.refcursor := '{PORTAL}'; BEGIN
OPEN portal FOR EXECUTE pg_catalog.current_setting('sqlchat.q'); END $sqlchat$"""
OPEN_CONTEXT_LINES = 2
"""Lines of an error's context that tell of our own SQL: the text as a statement, and the DO block."""
PINS = (
    ("lock_timeout", "500ms"),
    ("idle_in_transaction_session_timeout", "30s"),  # past this the process that held it is gone
    ("standard_conforming_strings", "on"),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("quote_all_identifiers", "off"),
)
"""Limits of a transaction's waiting, and the notation of values and texts in it."""
CONNECTION_CHECK = ("client_connection_check_interval", "1s")

STEP_DOWN = f"""SELECT pg_catalog.set_config('role', CASE
WHEN EXISTS (SELECT FROM pg_catalog.pg_class WHERE relrowsecurity) THEN 'none' ELSE '{READING_ROLE}' END, true)
"""  # noqa: S608 - constants
"""A superuser sees all rows of tables with row-level security, and the other role would not."""

PIECE = re.compile(
    r"""(?P<skipped>[\s;]+|--[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/)|/\*.*"""
    r"""|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*\""""
    r"""|\$(?P<mark>(?:[^\W\d]\w*)?)\$(?:.*?\$(?P=mark)\$|.*)|\w[\w$]*|.""",
    re.DOTALL,
)
"""Splits a text in linear time: a comment or a dollar quote without its end takes all the rest, once."""
QUERY_WORDS = frozenset({"select", "with", "values", "table", "("})
IDENTIFIER = re.compile(r'"(?:[^"]|"")+"|[\w$](?:[\w$ -]*[\w$])?')
"""A name in quotes, or the text between two commas: the name of a schema may hold blanks."""
ESTIMATE = re.compile(r'"Total Cost": ([^,\s]+)')
BYTE_COUNTED = frozenset({17, 25, 1042, 1043})
"""bytea, text, character, character varying: octet_length of these is their length as sent, read from a header."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The given text without what follows its end (semicolons, blanks, comments)."""

    text: str
    is_query: bool
    """Whether it begins like a query, which may stand in parentheses; EXPLAIN and SHOW may not."""

    @classmethod
    def read(cls, sql: str) -> Statement:
        """Raises SQLRefusedError for a text that cannot be sent at all."""
        text, first = cut_end(sql, PIECE)
        return cls(text, first in QUERY_WORDS)

    def write_copy(self, shape: Shape, rows: int, largest_row: int, *, tag: str, then: str = "") -> tuple[str, int]:
        """Write a COPY of at most `rows` rows for `shape`; return it, and the number of characters before the text.

        A row above `largest_row` bytes is an error of the server, since the driver reads a row whole before we can
        count. `then` is SQL that follows the COPY in the same message.
        """
        names = [f"c{number}" for number in range(len(shape.columns))]
        sizes = [
            _write_size(name, column.type_code)
            for name, column in zip(names, shape.columns, strict=True)
            if column.internal_size < 0
        ]
        selected, options = "*", ""
        if shape.csv:
            expressions = zip(names, shape.csv.expressions, strict=True)
            selected = ", ".join(f"{expression.format(name)} AS {name}" for name, expression in expressions)
            quoted = ", ".join(names[index] for index in shape.csv.quoted)
            options = f" ({OPTIONS}{quoted and f', FORCE_QUOTE ({quoted})'})"
        before = f"COPY (SELECT {selected} FROM (SELECT * FROM ("  # noqa: S608
        after = (
            f"\n) AS sqlchat LIMIT {rows}) AS sqlchat ({', '.join(names)}){_write_size_limit(sizes, largest_row)}) "
            f"TO STDOUT{options}{then and '; '}{then}"
        )
        return before + self.text + after + write_comment(tag), len(before)

    def write_explain(self, rows: int | None) -> tuple[str, int]:
        """Write an EXPLAIN of at most `rows` rows; return it, and the number of characters before the text.

        Like those of COPY, its parentheses hold one query: the server has checked that the text is one.
        """
        before = "EXPLAIN (FORMAT JSON) SELECT * FROM ("
        limit = "ALL" if rows is None else str(rows)
        return f"{before}{self.text}\n) AS sqlchat LIMIT {limit}", len(before)


def read_cost(plan_json: str) -> float:
    """Return the cost of the topmost step of a plan.

    It is found by its key, since a plan may be nested too deep for a reader of JSON. In a name or a text, a backslash
    would stand before the quotes.
    """
    match = ESTIMATE.search(plan_json)
    assert match is not None
    return float(match[1])


def write_prologue(
    statement: Statement,
    session: Session,
    timeout: float,
    *,
    search_path: str,
    caller: Mapping[str, str],
    expected: ExpectedDefinitions,
    is_described: bool = False,
) -> tuple[str, list[Any]]:
    """Write SQL, and its parameters, that opens a read-only transaction and plans `statement` as the portal.

    It is one message of several statements; the last one describes the columns. A new setting or check before
    planning is one more statement. If the text `is_described`, the last one is left out, and the text stands in the
    message itself: the server has checked once that this text is one query.

    Settings belong to the transaction, so they also hold behind a pooler, and end with the ROLLBACK. They are set
    again after planning, since planning calls immutable functions, whose bodies may change them: the server must read
    the text that follows like the checked one, and run it as the same `caller` (settings that name the caller to the
    database). A superuser's transaction takes a role that may only read, so that the server itself refuses files,
    slots and settings.
    """
    checks = (CONNECTION_CHECK,) if session.server_version >= 140000 else ()
    pins, milliseconds = (*PINS, ("client_encoding", session.sent_encoding), *checks), max(1, round(timeout * 1000))
    preparation = session.write_preparation(_write_preparation(pins))
    setting = [_write_pins(pins, milliseconds) if session.is_lent else f"EXECUTE sqlchat_pins ('{milliseconds}')"]
    if search_path:
        setting.append(f"SET LOCAL search_path = {search_path.replace('%', '%%')}")
    setting += [f"SET LOCAL {name} = %s" for name in caller]
    if session.steps_down and "role" not in caller:
        setting.append(STEP_DOWN)
    before, version, after, stamps = expected.write_comparisons(session)
    planning = ["SET LOCAL sqlchat.q = %s", *before, OPEN]
    if is_described:
        planning = [*before, f"DECLARE {PORTAL} NO SCROLL CURSOR FOR {statement.text.replace('%', '%%')}\n"]
    sent = ["BEGIN READ ONLY", *preparation, *setting, *planning, *after, *setting]
    text = [] if is_described else [statement.text]
    parameters = [*caller.values(), *text, *version, *stamps, *caller.values()]
    return "; ".join(sent if is_described else [*sent, f"FETCH 0 FROM {PORTAL}"]), parameters


@functools.lru_cache(maxsize=1000)
def _write_pins(pins: tuple[tuple[str, str], ...], milliseconds: int) -> str:
    return "; ".join(
        f"SET LOCAL {name} = '{value}'" for name, value in (("statement_timeout", str(milliseconds)), *pins)
    )


@functools.cache
def _write_preparation(pins: tuple[tuple[str, str], ...]) -> str:
    """Write SQL that prepares `_write_pins` as one statement, which the server reads and plans once."""
    values = [("statement_timeout", "$1"), *((name, f"'{value}'") for name, value in pins)]
    calls = ", ".join(f"pg_catalog.set_config('{name}', {value}, true)" for name, value in values)
    return f"PREPARE sqlchat_pins (pg_catalog.text) AS SELECT {calls}"


def read_search_path(schema: str) -> str:
    """Read the field `schema` (names with commas between them) as a search path. Raises ConnectionConfigError."""
    names = IDENTIFIER.findall(schema)
    if schema.strip() and "".join(IDENTIFIER.sub("", schema).split()) != "," * (len(names) - 1):
        raise ConnectionConfigError("schema: must be names of schemas, separated by commas.")
    return ", ".join(name if name.startswith('"') else quote_name(name) for name in names)


def list_schemas(path: str) -> list[str]:
    """Return the names in a search path, without `$user`."""
    names = [name[1:-1].replace('""', '"') for name in IDENTIFIER.findall(path)]
    return [name for name in names if name != "$user"]


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _write_size_limit(sizes: Sequence[str], largest: int) -> str:
    """Write a condition that raises ROW_TOO_LARGE for a row above `largest` bytes; most rows have no large value."""
    if not sizes:
        return ""
    total = " + ".join(f"coalesce({size}, 0)::pg_catalog.int8" for size in sizes)
    return (
        f" WHERE CASE WHEN GREATEST({', '.join(sizes)}) <= {largest // len(sizes)} THEN true "
        f"WHEN {total} > {largest} THEN ('{ROW_TOO_LARGE} ' || ({total}))::pg_catalog.int4 IS NULL ELSE true END"
    )


def _write_size(name: str, oid: int) -> str:
    return f"pg_catalog.octet_length({name})" if oid in BYTE_COUNTED else f"pg_catalog.pg_column_size({name})"
