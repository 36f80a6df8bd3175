"""Opens sessions with a user's MySQL or MariaDB, and sends statements on them."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pymysql
import pymysql.converters
from pymysql.connections import Connection as RawConnection
from pymysql.cursors import SSCursor

from sqlchat.connections.mysql.types import Decoder, Field, encode_row, find_decoder, find_session_zone
from sqlchat.connections.servers.config import ServerConfig
from sqlchat.connections.servers.deadlines import Deadline, hang_up
from sqlchat.errors import TooLargeError

if TYPE_CHECKING:
    Raw = RawConnection[SSCursor]  # only the stubs know it as generic
else:
    Raw = RawConnection

SQL_MODE = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO"
CONNECT_TIMEOUT = 5
FETCHED_AT_ONCE = 100
TEXTS: dict[Any, Any] = {
    kind: encode for kind, encode in pymysql.converters.conversions.items() if not isinstance(kind, int)
}
"""The driver's converters of parameters, and none of values: each value stays the server's text."""


def connect(target: ServerConfig, address: str, patience: float) -> Raw:
    """Connect to the tested `address`. TLS still verifies the host's name.

    Later, `patience` seconds without an answer are an error. Raises pymysql.Error, OSError, and RuntimeError for a
    missing plugin of the driver.
    """
    raw: Raw = pymysql.connect(
        host=target.host,
        port=target.port,
        user=target.user,
        password=target.password.encode(),
        database=target.database,
        charset="utf8mb4",
        sql_mode=SQL_MODE,
        conv=TEXTS,
        cursorclass=SSCursor,
        local_infile=False,
        read_timeout=CONNECT_TIMEOUT,
        write_timeout=CONNECT_TIMEOUT,
        program_name="sqlchat",
        autocommit=True,
        defer_connect=True,
        **_make_tls_options(target),
    )
    line = socket.create_connection((address, target.port), CONNECT_TIMEOUT)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    raw.connect(line)
    # the driver has no public way to another timeout than that of connecting
    raw._read_timeout = patience  # type: ignore[attr-defined]
    return raw


class Session:
    """One connection to the server."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self.unread = False
        """Whether rows of the last statement may wait to be read."""
        self.deadline: Deadline
        """Ends the current statement."""
        self.cursor: SSCursor = raw.cursor()
        ((self.thread_id, version),) = self.fetch_all("SELECT CONNECTION_ID(), VERSION()")
        self._is_mariadb = "mariadb" in version.lower()
        self._time_limit = "max_statement_time" if self._is_mariadb else "max_execution_time"
        ((session, system),) = self.fetch_all("SELECT @@session.time_zone, @@system_time_zone")
        self._zone = find_session_zone(session, system)

    def begin(self, timeout: float) -> None:
        """Open a read-only transaction whose statements the server ends after `timeout` seconds."""
        limit = f"{timeout:.3f}" if self._is_mariadb else f"{timeout * 1000:.0f}"
        self.cursor.execute(
            f"SET SESSION {self._time_limit} = {limit}, "
            "sql_select_limit = DEFAULT, lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"
        )
        self.cursor.execute("SET SESSION TRANSACTION READ ONLY")
        self.cursor.execute("START TRANSACTION READ ONLY")

    def end_time_limit(self) -> None:
        """Remove the server's time limit; `deadline` still ends the statement."""
        self.cursor.execute(f"SET SESSION {self._time_limit} = 0")

    def list_decoders(self, fields: Sequence[Field]) -> list[Decoder]:
        return [find_decoder(field.code, self._zone) for field in fields]

    @property
    def has_zone(self) -> bool:
        """Whether a TIMESTAMP is returned with its offset."""
        return self._zone is not None

    def end(self) -> None:
        """Roll back, and release locks that outlive a transaction."""
        if self.unread:
            if self._raw.open:
                with contextlib.suppress(pymysql.Error):
                    self.cursor.close()  # reads the remaining rows
            self.forget_rows()
            self.cursor, self.unread = self._raw.cursor(), False
        self.cursor.execute("ROLLBACK")
        self.cursor.execute("DO RELEASE_ALL_LOCKS()")

    def forget_rows(self) -> None:
        """Keep the driver from reading the rest of an answer when its objects go: the connection may be broken."""
        result = getattr(self.cursor, "_result", None)  # the driver has no public way to it
        if result is not None:
            result.unbuffered_active = False

    def hang_up(self) -> None:
        """Close the connection from our side, even if a thread waits for an answer."""
        line = getattr(self._raw, "_sock", None)  # the driver has no public way to it
        hang_up(line.fileno() if line else -1)

    def prepare(self, text: str) -> None:
        """Let the server parse a query in a place whose grammar takes only a query.

        Unlike EXPLAIN, PREPARE needs no right to see the definitions of views.
        """
        self.cursor.execute("PREPARE sqlchat FROM %s", (f"SELECT EXISTS ({text}\n)",))
        self.cursor.execute("DEALLOCATE PREPARE sqlchat")

    def limit_rows(self, count: int) -> None:
        self.cursor.execute(f"SET SESSION sql_select_limit = {count:d}")

    def fetch_all(self, question: str, parameters: tuple[str, ...] | None = None) -> list[tuple[Any, ...]]:
        self.cursor.execute(question, parameters)
        return list(self.cursor.fetchall())

    def read_columns(self) -> list[Field]:
        """Return the columns of the last statement's answer."""
        answer = getattr(self.cursor, "_result", None)  # the driver's description leaves out flags and character sets
        fields = answer.fields if answer and answer.description else ()
        return [
            Field(field.name, field.type_code, field.flags, field.charsetnr, field.length, field.scale)
            for field in fields
        ]

    def read_rows(self, fields: Sequence[Field], count: int, largest_mb: int) -> list[bytes]:
        """Read up to `count` rows of the last statement as JSON. Raises TooLargeError above `largest_mb` MiB."""
        decoders = self.list_decoders(fields)
        rows: list[bytes] = []
        left = largest_mb << 20
        self.unread = True
        while len(rows) < count:
            fetched = self.cursor.fetchmany(min(FETCHED_AT_ONCE, count - len(rows)))
            for row in fetched:
                rows.append(encode_row(row, decoders))
                left -= len(rows[-1]) + 1
                if left < 0:
                    raise TooLargeError(f"The result is larger than {largest_mb} MiB; ask for fewer rows or columns.")
            if not fetched:
                break
        self.unread = bool(self.cursor.fetchmany(1))
        return rows


def _make_tls_options(target: ServerConfig) -> dict[str, Any]:
    if target.sslmode == "disable":
        return {"ssl_disabled": True}
    if target.sslmode not in ("require", "verify-ca", "verify-full"):
        return {}
    import certifi

    cafile = None if target.authorities else certifi.where()
    context = ssl.create_default_context(cafile=cafile, cadata=target.authorities or None)
    context.check_hostname = target.sslmode == "verify-full"
    if target.sslmode == "require":  # it promises encryption but, as in libpq, does not verify the server
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}
