"""Translates errors of Postgres and its driver into errors of `sqlchat.errors`."""

from __future__ import annotations

import re
from typing import Any

from sqlchat.connections import faults
from sqlchat.errors import (
    ConnectionConfigError,
    ForeignServerUnavailableError,
    QueryError,
    QueryTimeoutError,
    SqlchatError,
    TooLargeError,
    UnknownNameError,
)

ROW_TOO_LARGE = "sqlchat: row too large"
"""A part of the error that the server raises for a row above the limit."""

KNOWN_REFUSALS = (
    ("password authentication failed", "28P01", "the user or the password is wrong"),
    ("no pg_hba.conf entry", "28000", "the server does not accept this user, database or host, or wants TLS"),
    ("authentication failed", "28000", "the server did not accept this user"),
    ("too many connections", "53300", "the server has no free connection"),
    ("remaining connection slots", "53300", "the server has no free connection"),
    ("database system is starting up", "57P03", "the server is starting up"),
    ("role ", "28000", "the user does not exist there"),
    ("database ", "3D000", "the database does not exist there"),
    ("certificate verify failed", "", "the server's certificate could not be verified"),
    ("does not support SSL", "", "the server does not offer TLS"),
    ("does not match host name", "", "the server's certificate belongs to another host"),
    ("timeout expired", "", "the server did not answer in time"),
    ("Connection refused", "", "nothing listens there"),
)
"""A part of a server's refusal, its SQLSTATE, and our words for it; the first match counts."""
FATAL = re.compile(r"(?:FATAL|PANIC):\s+(.+)")
TABLE_DENIED = re.compile(r"permission denied for (table|view|relation|materialized view|foreign table) ")
PREFIX = re.compile(r'connection to server at "[^"]*"(?: \([^)]*\))?, port \d+ failed: ')


def make_config_error(text: str, password: str, *, near: bool) -> ConnectionConfigError:
    """Make the error of a failed connection from the driver's `text`. Quotes it only if the server is `near`.

    A server outside of our network may write any text, so that one is only compared with KNOWN_REFUSALS.
    """
    if near:
        fatal = FATAL.search(text)
        words = fatal[1] if fatal else PREFIX.sub("", text.strip()).partition("\n")[0]
        return faults.quote_refusal(words, password)
    for part, sqlstate, words in KNOWN_REFUSALS:
        if part in text:
            return faults.make_config_error(words, sqlstate and f"SQLSTATE {sqlstate}")
    return ConnectionConfigError("The connection failed, for a reason that the server gave in words of its own.")


FOREIGN_SERVER_LOST = re.compile("08...|57P0[123]|HV00N")
"""SQLSTATEs of a lost or refused connection. If the session still works, they mean the server of a foreign table."""
REMOTE = "remote SQL command"
"""A part of the context of an error that a server of postgres_fdw raised."""
UNKNOWN_NAMES = frozenset({"42P01", "42703", "3F000", "42883", "42704"})
"""Undefined table, column, schema, function, object."""


def make_query_error(exc: Any, sql: str, timeout: float, prefix: int, *, hides_message: bool = False) -> SqlchatError:
    """Make the error for a statement from a psycopg2.Error. `prefix` characters were sent before `sql`.

    `hides_message`: a function of the database wrote the message, which may quote any row.
    """
    diag, sqlstate = exc.diag, exc.pgcode or ""
    message = "A function of the database failed" if hides_message else (diag.message_primary or "").strip()
    if ROW_TOO_LARGE in message:
        return TooLargeError("A row of the result is larger than a result may be; select fewer or shorter columns.")
    if FOREIGN_SERVER_LOST.fullmatch(sqlstate):
        words = message.partition("\n")[0].rstrip(".")
        return ForeignServerUnavailableError(
            f"A server that the database reads from cannot be reached: {words}.", retry_after=5
        )
    match sqlstate:
        case "57014" if REMOTE in (diag.context or ""):
            return QueryTimeoutError("A server that the database reads from stopped the query at its own time limit.")
        case "57014":
            return faults.make_timeout_error(timeout)
        case "55P03":
            return faults.make_locked_error()
        case "42P11":
            return faults.make_statement_error()
    hint = "" if hides_message else (diag.message_hint or "").strip()
    if sqlstate == "42501" and TABLE_DENIED.match(message):
        hint = faults.NAME_COLUMNS
    elif hint:
        hint = f"Hint: {hint}"
    detail = f"{message[:1].upper()}{message[1:].rstrip('.')}. {hint}".rstrip()
    kind = UnknownNameError if sqlstate in UNKNOWN_NAMES else QueryError
    return kind(detail, sqlstate=sqlstate, **_find_position(diag, sql, prefix))


def is_within_function(exc: Any, sql: str, around: int) -> bool:
    """Whether a function wrote the message; `around` lines of context belong to how we send `sql`."""
    return len((exc.diag.context or "").replace(sql, "").splitlines()) > around


def _find_position(diag: Any, sql: str, prefix: int) -> dict[str, Any]:
    """Return the 1-based position of the fault in `sql`, in characters; nothing if it is elsewhere."""
    if diag.internal_query is not None:
        position = int(diag.internal_position or 0)
        return {"position": position} if position and sql.startswith(diag.internal_query) else {}
    position = int(diag.statement_position or 0) - prefix
    return {"position": position} if 1 <= position <= len(sql) + 1 else {}
