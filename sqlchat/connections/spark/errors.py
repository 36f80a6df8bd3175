"""What a Spark server complains of, as our errors. All its texts pass here."""

from __future__ import annotations

import re
from typing import Any

from sqlchat.connections.spark.session import SparkError
from sqlchat.connections.spark.statement import PREFIX
from sqlchat.errors import (
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryError,
    QueryTimeoutError,
    SqlchatError,
    TooLargeError,
    UnknownNameError,
)

REFUSALS = {
    "UNAVAILABLE": "nothing answers there in Spark Connect's protocol",
    "UNAUTHENTICATED": "the token is wrong, or missing",
    "PERMISSION_DENIED": "this token may not use it",
    "DEADLINE_EXCEEDED": "the server did not answer in time",
    "UNIMPLEMENTED": "the server does not speak Spark Connect",
}
UNKNOWN_NAMES = re.compile(
    r"(TABLE_OR_VIEW|SCHEMA|CATALOG|ROUTINE|COLUMN)_NOT_FOUND|UNRESOLVED_(COLUMN|ROUTINE|FIELD|STAR).*"
)
UNKNOWN_WORDS = re.compile(
    r"(Table|Database|Schema|Catalog) not found|cannot resolve attribute|\[TABLE_OR_VIEW_NOT_FOUND\]", re.IGNORECASE
)
"""Sail's."""
PLACE = re.compile(r"\bline (\d+),? pos(?:ition)? (\d+)")
SPAN = re.compile(r"^invalid argument: found .* at (\d+):\d+ expected ")
REST = re.compile(
    r"\s*(SQLSTATE: \w{5}|== SQL\b|== DataFrame\b|; line \d+ pos \d+|\(line \d+, pos \d+\)|JVM stacktrace:"
    r"|\n\s*'?[A-Z+:]).*",
    re.DOTALL,
)
"""The query, as it was wrapped, and the server's plan of it."""
LONGEST = 1000


def config_error(fault: SparkError, *, near: bool) -> ConnectionConfigError:
    """Why connecting failed. `near`: the server is in our network, so quote its words; a stranger's are not told."""
    if words := REFUSALS.get(fault.code):
        return ConnectionConfigError(f"The connection failed: {words}.")
    if near:
        return ConnectionConfigError(f"The server refused the connection: {_words(fault)}.")
    told = f" (SQLSTATE {fault.sqlstate})" if re.fullmatch(r"\w{5}", fault.sqlstate) else ""
    return ConnectionConfigError(f"The connection failed: the server refused it{told}.")


def timed_out(timeout: float) -> QueryTimeoutError:
    return QueryTimeoutError(f"The query took longer than {timeout:g} s and was stopped.")


def query_error(fault: SparkError, sql: str, timeout: float) -> SqlchatError:
    """What the caller is told of a fault of `sql`, which may have run inside a query of ours."""
    if fault.is_of_session or fault.code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return DatabaseUnavailableError("The connection to the database was lost.", retry_after=1)
    if fault.code in ("DEADLINE_EXCEEDED", "CANCELLED") or fault.condition.startswith("OPERATION_CANCELED"):
        return timed_out(timeout)
    if fault.code == "RESOURCE_EXHAUSTED":
        return TooLargeError("The result, or a row of it, is larger than the server or this service takes at once.")
    facts: dict[str, Any] = {}
    if re.fullmatch(r"\w{5}", fault.sqlstate):
        facts["sqlstate"] = fault.sqlstate
    if position := _position(fault, sql):
        facts["position"] = position
    is_unknown = UNKNOWN_NAMES.match(fault.condition) or UNKNOWN_WORDS.search(fault.message)
    return (UnknownNameError if is_unknown else QueryError)(f"{_words(fault)}.", **facts)


def _words(fault: SparkError) -> str:
    words = REST.sub("", fault.message.strip()).strip().rstrip(".")
    return (words[:LONGEST] or "The server refused the statement").replace("\n", " ")


def _position(fault: SparkError, sql: str) -> int:
    """Of a character of `sql`, from 1; 0 where the server does not tell."""
    if span := SPAN.match(fault.message):
        at = int(span[1]) - len(PREFIX)
        return at + 1 if 0 <= at < len(sql) else 0
    place = PLACE.search(fault.message)
    if place is None:
        return 0
    lines, number = sql.split("\n"), int(place[1]) - 2  # one line before it is ours
    column = int(place[2]) - ("position" in place[0])
    if not 0 <= number < len(lines) or column > len(lines[number]):
        return 0
    return sum(len(line) + 1 for line in lines[:number]) + column + 1
