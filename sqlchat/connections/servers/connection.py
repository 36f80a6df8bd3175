"""The base of the connections to Postgres, MySQL and Spark: address, pool of sessions and deadlines."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from abc import abstractmethod
from typing import Any, ClassVar

from sqlchat.config import Settings
from sqlchat.connections.base import Connection
from sqlchat.connections.faults import refuse_unsendable
from sqlchat.connections.servers.config import ServerConfig
from sqlchat.connections.servers.deadlines import Deadlines
from sqlchat.connections.servers.network import resolve
from sqlchat.connections.servers.pool import UNENCRYPTED, Pool, Pooled
from sqlchat.errors import ConnectionConfigError, DatabaseUnavailableError

CATALOG_TIMEOUT = 60.0
"""Seconds for a question of our own."""
SAFE_TAG = re.compile(r"[^\w.:-]", re.ASCII)


class ServerConnection(Connection):
    unconnected: ClassVar[tuple[type[Exception], ...]]
    """Exceptions that the driver raises if it cannot connect."""

    def _set_up(self, target: ServerConfig, settings: Settings) -> None:
        self._target, self._settings, self.place = target, settings, target.place
        self._pool = Pool(settings, lambda: self._connect(self._find_address()))
        self._deadlines = Deadlines()

    @abstractmethod
    def _connect(self, address: str) -> Any:
        """Open a session with the server at the tested `address`. Raises the errors of `unconnected`."""

    @abstractmethod
    def _explain_refusal(self, exc: Exception, *, near: bool) -> ConnectionConfigError:
        """Make the error of a failed connection. `near`: the server is in our network, so its words may be shown."""

    def _try_session(self, session: Any) -> None:
        """Check that the session can be used. Raises the errors of `unconnected`."""

    @abstractmethod
    def _read_warnings(self) -> tuple[list[str], bool]:
        """Return warnings for the connection's status, and whether the session is encrypted."""

    def check(self) -> list[str]:
        address = self._find_address()
        near = ipaddress.ip_address(address).is_private
        try:
            with contextlib.closing(self._connect(address)) as session:
                self._try_session(session)
        except self.unconnected as exc:
            raise self._explain_refusal(exc, near=near) from exc
        warnings, is_encrypted = self._read_warnings()
        return warnings if is_encrypted or near else [*warnings, UNENCRYPTED]

    def close(self) -> None:
        self._pool.close()

    def _check_out(self) -> Pooled:
        """Take a session of the pool. Raises BusyError and DatabaseUnavailableError."""
        try:
            return self._pool.lend()
        except self.unconnected as exc:
            words, cause = "The database cannot be reached at the moment.", exc
        except ConnectionConfigError as exc:
            words, cause = "The database's host cannot be reached from here.", exc
        raise DatabaseUnavailableError(words, retry_after=5, place=self.place) from cause

    def _find_address(self) -> str:
        return resolve(self._target.host, self._target.port, self._settings.reaches_private_hosts)


def cut_end(sql: str, pieces: re.Pattern[str]) -> tuple[str, str]:
    """Return the text up to the end of its statement, and its first word or sign in lower case.

    `pieces` splits it; its group `skipped` matches semicolons, blanks and comments. A mistake about the end is
    harmless, since the server checks and runs the same text. Raises SQLRefusedError for a text that cannot be sent.
    """
    refuse_unsendable(sql)
    first, end = "", 0
    for piece in pieces.finditer(sql):
        if piece["skipped"] is None:
            first = first or piece[0].lower()
            end = piece.end()
    return sql[:end], first


def write_comment(tag: str) -> str:
    """Write a trailing comment by which an administrator finds the request."""
    return f" /* sqlchat {SAFE_TAG.sub('', tag)[:80]} */" if tag else ""
