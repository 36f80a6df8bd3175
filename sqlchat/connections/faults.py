"""Makes the errors that are alike for all databases."""

from __future__ import annotations

import contextlib

from sqlchat.errors import (
    CatalogChangedError,
    ConnectionConfigError,
    DatabaseUnavailableError,
    QueryTimeoutError,
    SQLRefusedError,
)

NAME_COLUMNS = "Of a table that the user may read in part, name the columns that the schema has instead of *."
"""Advice for a user who may not read a whole table."""


def refuse_unsendable(sql: str) -> None:
    """Raise SQLRefusedError for NUL, which ends the text for some engines, and for surrogates."""
    with contextlib.suppress(UnicodeEncodeError):
        if b"\0" not in sql.encode():
            return
    raise SQLRefusedError("The SQL holds a character that is not text.")


def make_statement_error() -> SQLRefusedError:
    return SQLRefusedError("Only one statement that returns rows can be run.")


def make_timeout_error(timeout: float) -> QueryTimeoutError:
    return QueryTimeoutError(f"The query took longer than {timeout:g} s and was stopped.")


def make_locked_error() -> QueryTimeoutError:
    return QueryTimeoutError("A table is locked by another session of the database; try again.", retry_after=1)


def make_lost_error() -> DatabaseUnavailableError:
    return DatabaseUnavailableError("The connection to the database was lost.", retry_after=1)


def make_changed_error() -> CatalogChangedError:
    return CatalogChangedError("The database is being changed; try again.", retry_after=1)


def make_config_error(words: str, code: str = "") -> ConnectionConfigError:
    """Make the error of a failed connection in words of ours; `code` is the server's, such as `error 1045`."""
    return ConnectionConfigError(f"The connection failed: {words}{f' ({code})' if code else ''}.")


def quote_refusal(words: str, password: str = "", code: str = "") -> ConnectionConfigError:
    """Make the error of a failed connection in the words of a server that is in our own network."""
    shown = words.replace(password, "***") if password else words
    return ConnectionConfigError(
        f"The database refused the connection: {shown.rstrip('.')}{f' ({code})' if code else ''}."
    )
