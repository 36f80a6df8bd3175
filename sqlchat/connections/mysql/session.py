"""Opens sessions with a user's MySQL or MariaDB, and sends statements on them."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pymysql
import pymysql.converters
from pymysql.connections import Connection as RawConnection
from pymysql.cursors import SSCursor

from sqlchat.connections.mysql.types import Field, encode_cells, find_decoder, find_session_zone, make_header
from sqlchat.connections.results import RowBatches, Sink, write_row
from sqlchat.connections.servers.config import ServerConfig
from sqlchat.connections.servers.deadlines import Deadline, hang_up

if TYPE_CHECKING:
    Raw = RawConnection[SSCursor]  # only the stubs know it as generic
else:
    Raw = RawConnection

SQL_MODE = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO"
CONNECT_TIMEOUT = 5
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

    def fetch_all(self, question: str) -> list[tuple[Any, ...]]:
        self.cursor.execute(question)
        return list(self.cursor.fetchall())

    def send_rows(self, count: int, sink: Sink) -> None:
        """Put the columns and up to `count` rows of the last statement's answer into the sink."""
        answer = getattr(self.cursor, "_result", None)  # the driver's description leaves out flags and character sets
        fields = [
            Field(field.name, field.type_code, field.flags, field.charsetnr, field.length, field.scale)
            for field in (answer.fields if answer and answer.description else ())
        ]
        decoders = [find_decoder(field.code, self._zone) for field in fields]
        sink.begin(make_header(fields, has_zone=self._zone is not None), b"".join)
        self.unread = True
        with RowBatches(sink.put, lambda row: write_row(encode_cells(row, decoders))) as batches:
            for _ in range(count):
                if (row := self.cursor.fetchone()) is None:
                    break
                batches.write(row)
        self.unread = self.cursor.fetchone() is not None


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
