"""A session with a user's Postgres, as it is opened. For `connection.py` alone."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any

import psycopg2
import psycopg2.extensions

from sqlchat.connections.servers.config import ServerConfig
from sqlchat.connections.servers.deadlines import Deadline

PATIENCE: Any = {"connect_timeout": 5, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}  # s
NO_FILE = "/dev/null/none"
"""A path at which no file can be, so that libpq reads no password or certificate of the account we run under."""


class Session(psycopg2.extensions.connection):
    lent = False
    """True where a pooler lends us a session of the server for one transaction, and then lends it to others."""
    deadline: Deadline
    """After which we hang up on the statement that runs."""


def connect(target: ServerConfig, address: str) -> Session:
    """Connect to the tested `address`. Each option that the environment could fill in is given here.

    Raises psycopg2.Error.
    """
    try:
        with _authorities(target) as authorities:
            raw: Session = psycopg2.connect(
                connection_factory=Session,
                host=target.host,
                hostaddr=address,
                port=target.port,
                dbname=target.database,
                user=target.user,
                password=target.password,
                passfile=NO_FILE,
                sslmode=target.sslmode or "prefer",
                sslrootcert=authorities,
                sslcertmode="disable",
                sslcrl="",
                sslcrldir="",
                sslnegotiation="postgres",
                channel_binding=target.channel_binding or "prefer",
                require_auth="scram-sha-256,md5,password,none",
                gssencmode="disable",
                load_balance_hosts="disable",
                options="",
                application_name="sqlchat",
                client_encoding="UTF8",
                target_session_attrs="any",
                **PATIENCE,
            )
    except UnicodeDecodeError as exc:  # its words are in another encoding, or cut within a character
        raise psycopg2.OperationalError("FATAL:  the server's words are no UTF-8") from exc
    raw.autocommit = True  # we write BEGIN ourselves, to save round trips
    with raw.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_backend_pid()")
        raw.lent = cursor.fetchall() != [(raw.info.backend_pid,)]  # a pooler tells a number of its own
    if not raw.lent:
        raw.set_session(readonly=True)
    psycopg2.extensions.register_type(_RAW, raw)
    return raw


@contextlib.contextmanager
def _authorities(target: ServerConfig) -> Iterator[str]:
    """The path of a file with the authorities to trust, which libpq reads while it connects."""
    if not target.sslmode.startswith("verify"):
        yield NO_FILE
    elif not target.authorities:
        import certifi

        yield certifi.where()
    else:
        try:
            file = tempfile.NamedTemporaryFile("w", prefix="sqlchat-authorities-", suffix=".pem")  # noqa: SIM115
        except OSError as exc:
            raise psycopg2.OperationalError("no temporary file for the authorities") from exc
        with file:
            try:
                file.write(target.authorities)
                file.flush()
            except OSError as exc:
                raise psycopg2.OperationalError("no temporary file for the authorities") from exc
            yield file.name


_RAW = psycopg2.extensions.new_type(tuple(psycopg2.extensions.string_types), "TEXT OF ANY", lambda text, _: text)
"""Hands every value on as the server's text, on the connections where it is registered."""
