"""Translates the errors of a Spark server into errors of `sqlchat.errors`."""

from __future__ import annotations

import re
from typing import Any

from sqlchat.connections import faults
from sqlchat.connections.spark.session import SparkError
from sqlchat.connections.spark.statement import PREFIX
from sqlchat.errors import (
    ConnectionConfigError,
    QueryError,
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
"""The same errors in Sail's words."""
PLACE = re.compile(r"\bline (\d+),? pos(?:ition)? (\d+)")
SPAN = re.compile(r"^invalid argument: found .* at (\d+):\d+ expected ")
REST = re.compile(
    r"\s*(SQLSTATE: \w{5}|== SQL\b|== DataFrame\b|; line \d+ pos \d+|\(line \d+, pos \d+\)|JVM stacktrace:"
    r"|\n\s*'?[A-Z+:]).*",
    re.DOTALL,
)
"""The end of a message, with the wrapped query and its plan."""
LONGEST = 1000
SQLSTATE = re.compile(r"\w{5}")


def make_config_error(fault: SparkError, *, near: bool) -> ConnectionConfigError:
    """Make the error of a failed connection. Quotes the server's words only if it is `near`, in our own network."""
    if words := REFUSALS.get(fault.code):
        return faults.make_config_error(words)
    if near:
        return faults.quote_refusal(_clean_message(fault))
    sqlstate = f"SQLSTATE {fault.sqlstate}" if SQLSTATE.fullmatch(fault.sqlstate) else ""
    return faults.make_config_error("the server refused it", sqlstate)


def make_query_error(fault: SparkError, sql: str, timeout: float) -> SqlchatError:
    """Make the error of the statement `sql`, which may have run inside a query of ours."""
    if fault.is_of_session or fault.code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return faults.make_lost_error()
    if fault.code == "DEADLINE_EXCEEDED":
        return faults.make_timeout_error(timeout)
    if fault.code == "CANCELLED" or fault.condition.startswith("OPERATION_CANCELED"):
        return QueryError("The server ended the statement before its time, without a reason.")
    if fault.code == "RESOURCE_EXHAUSTED":
        return TooLargeError("The result, or a row of it, is larger than the server or this service takes at once.")
    facts: dict[str, Any] = {}
    if SQLSTATE.fullmatch(fault.sqlstate):
        facts["sqlstate"] = fault.sqlstate
    if position := _find_position(fault, sql):
        facts["position"] = position
    is_unknown = UNKNOWN_NAMES.match(fault.condition) or UNKNOWN_WORDS.search(fault.message)
    return (UnknownNameError if is_unknown else QueryError)(f"{_clean_message(fault)}.", **facts)


def _clean_message(fault: SparkError) -> str:
    words = REST.sub("", fault.message.strip()).strip().rstrip(".")
    return (words[:LONGEST] or "The server refused the statement").replace("\n", " ")


def _find_position(fault: SparkError, sql: str) -> int:
    """Return the position of the error in `sql`, from 1; 0 if unknown."""
    if span := SPAN.match(fault.message):
        offset = int(span[1]) - len(PREFIX)
        return offset + 1 if 0 <= offset < len(sql) else 0
    place = PLACE.search(fault.message)
    if place is None:
        return 0
    lines, number = sql.split("\n"), int(place[1]) - 2  # one line before it is ours
    column = int(place[2]) - ("position" in place[0])
    if not 0 <= number < len(lines) or column > len(lines[number]):
        return 0
    return sum(len(line) + 1 for line in lines[:number]) + column + 1
