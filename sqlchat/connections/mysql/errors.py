"""Translates errors of MySQL, MariaDB and the driver into errors of `sqlchat.errors`."""

from __future__ import annotations

import re

from sqlchat.connections import faults
from sqlchat.errors import (
    ConnectionConfigError,
    QueryError,
    SqlchatError,
    UnknownNameError,
)

CANNOT_CONNECT = 2003
"""The driver's number for a failed connection."""
LOST = frozenset({0, 1040, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 2014, 2026, 2055})
TIMED_OUT = frozenset({1317, 1969, 3024})
LOCKED = frozenset({1205, 1213})
VIEW_UNEXPLAINED = 1345
UNEXPLAINED = "The server explains no query of a view to this user; GRANT SHOW VIEW on the view, or its database."
REFUSALS = {
    1044: "the user may not use this database",
    1045: "the user or the password is wrong",
    1049: "the database does not exist there",
    1040: "the server has no free connection",
    1129: "the server has blocked this host after too many errors",
    1130: "the server does not accept this host",
    1698: "the server did not accept this user",
    2003: "nothing answers there",
    2013: "the server hung up",
    2026: "TLS could not be agreed upon",
}
UNKNOWN_NAMES = frozenset({1049, 1054, 1109, 1146, 1305})
"""Unknown database, column, table in a qualified name, table, function."""
COLUMN_DENIED = frozenset({1142, 1143})
WRAPPED = re.compile(r"\n\)( /\* sqlchat [^*]* \*/)?(?=' at line)")
"""The end of the statement that prepares a text, as a syntax error quotes it."""


def make_config_error(errno: int, message: str, *, password: str, near: bool) -> ConnectionConfigError:
    """Make the error of a failed connection. Quotes the server's words only if it is `near`, in our own network."""
    if near and errno not in LOST:
        return faults.quote_refusal(message, password, f"error {errno}")
    return faults.make_config_error(REFUSALS.get(errno, "the server refused it"), f"error {errno}" if errno else "")


def make_query_error(errno: int, message: str, timeout: float) -> SqlchatError:
    """Make the error for a statement that the server refused."""
    if errno in LOST:
        return faults.make_lost_error()
    if errno in TIMED_OUT:
        return faults.make_timeout_error(timeout)
    if errno in LOCKED:
        return faults.make_locked_error()
    if errno == VIEW_UNEXPLAINED:
        return QueryError(UNEXPLAINED, errno=errno)
    if errno in COLUMN_DENIED:
        return QueryError(f"{message.rstrip('.')}. {faults.NAME_COLUMNS}", errno=errno)
    kind = UnknownNameError if errno in UNKNOWN_NAMES else QueryError
    return kind(f"{WRAPPED.sub('', message).rstrip('.')}.", errno=errno)
