"""Opens sessions with a user's Postgres."""

from __future__ import annotations

import codecs
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2
import psycopg2.extensions

from sqlchat.connections.postgres.csv import Shape
from sqlchat.connections.servers.config import ServerConfig
from sqlchat.connections.servers.deadlines import Deadline

PATIENCE: Any = {"connect_timeout": 5, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}  # s
READING_ROLE = "pg_read_all_data"
"""A role of Postgres 14 and later that may read every table and do nothing else."""
ASKED_ONCE = f"""
SELECT pg_catalog.pg_backend_pid(), CASE
    WHEN NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user) THEN false
    WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 140000 THEN false
    ELSE pg_catalog.has_language_privilege('{READING_ROLE}', 'plpgsql', 'USAGE')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relkind = 'f')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid >= 16384 AND proacl IS NOT NULL
            AND NOT pg_catalog.has_function_privilege('{READING_ROLE}', oid, 'EXECUTE'))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE oid >= 16384
            AND ev_action::pg_catalog.text ~ 'SQLVALUEFUNCTION :op [0-9]+ :type 19 ') END
"""  # noqa: S608 - constants
"""The process that serves the session, and whether a superuser's rights can be put down without another answer.

They cannot if answers depend on the role: foreign tables (each role has its own login there), functions that not
everybody may run, views over CURRENT_USER. Each transaction checks for row-level security.
"""
RESET_LENT = "ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all()"
"""Ends a transaction in a session that a pooler also lends to others: their settings and statements stay."""
RESET = f"{RESET_LENT}; RESET ALL; SET default_transaction_read_only = on"
"""A ROLLBACK undoes settings and objects; advisory locks of the session outlive it."""
NO_FILE = "/dev/null/none"
"""A path without a file, so that libpq reads no password or certificate of our own account."""


NO_ENCODING = "SQL_ASCII"
"""The encoding of a database whose bytes Postgres does not check."""
LENIENT = "sqlchat-lenient"


def _find_codec(name: str) -> codecs.CodecInfo | None:
    """Return a UTF-8 codec that writes U+FFFD for invalid bytes."""
    if name.replace("_", "-") != LENIENT:
        return None
    return codecs.CodecInfo(codecs.utf_8_encode, lambda read, _="": codecs.utf_8_decode(read, "replace", True))


codecs.register(_find_codec)
psycopg2.extensions.encodings[NO_ENCODING.replace("_", "")] = LENIENT  # the driver looks names up so


@dataclass(frozen=True, slots=True)
class Repeat:
    """A text that a session ran before, so that one message is enough to run it again."""

    shape: Shape
    opening: str = ""
    """SQL that opens the transaction; "" until it is first repeated."""


class Session(psycopg2.extensions.connection):
    is_lent = False
    """Whether a pooler lends us a session of the server for one transaction, and then lends it to others."""
    is_used = False
    """Whether it has run a statement before, so that its connection may have died since."""
    prepared: set[str]
    """The SQL that prepared statements, if the session is ours alone."""
    repeat: Repeat | None = None
    """The text that runs, if it ran here before; its transaction is yet to be opened."""
    repeats: dict[Any, Repeat]
    """By the text, its time limit and the definitions that it was compared with."""
    is_reset = False
    """Whether nothing is left of the last statement."""
    deadline: Deadline
    """Ends the current statement by closing the connection."""
    steps_down = False
    """Whether the login is a superuser whose transactions take READING_ROLE unless a table has row-level security."""

    @property
    def epilogue(self) -> str:
        """SQL that ends a transaction and undoes what outlives it."""
        return RESET_LENT if self.is_lent else RESET

    def write_preparation(self, sql: str) -> list[str]:
        """`sql`, which prepares statements, if this session has not run it yet and is ours alone."""
        if self.is_lent or sql in self.prepared:
            return []
        self.prepared.add(sql)
        return [sql]

    @property
    def reads_texts_alike(self) -> bool:
        """Whether a text means the same to the server before and after our settings: a message is read as a whole."""
        reads_quotes_alike = self.get_parameter_status("standard_conforming_strings") == "on"
        return not self.is_lent and reads_quotes_alike and self.sent_encoding != NO_ENCODING

    @property
    def sent_encoding(self) -> str:
        """The encoding of the server's texts: UTF-8, or NO_ENCODING, whose damaged texts no server converts."""
        return NO_ENCODING if self.get_parameter_status("server_encoding") == NO_ENCODING else "UTF8"


def connect(target: ServerConfig, address: str) -> Session:
    """Connect to the tested `address`. Sets each option that the environment could set.

    Raises psycopg2.Error.
    """
    try:
        with _write_authorities(target) as authorities:
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
        cursor.execute(ASKED_ONCE)
        ((backend, raw.steps_down),) = cursor.fetchall()
    raw.is_lent = backend != raw.info.backend_pid  # a pooler tells a number of its own
    raw.prepared, raw.repeats = set(), {}
    if raw.sent_encoding == NO_ENCODING:
        raw.set_client_encoding(NO_ENCODING)  # has the driver read by our codec
    if not raw.is_lent:
        raw.set_session(readonly=True)
    psycopg2.extensions.register_type(_RAW, raw)
    return raw


@contextlib.contextmanager
def _write_authorities(target: ServerConfig) -> Iterator[str]:
    """Yield the path of a file with the trusted authorities, which libpq reads while it connects."""
    if not target.sslmode.startswith("verify"):
        yield NO_FILE
    elif not target.authorities:
        import certifi

        yield certifi.where()
    else:
        with contextlib.ExitStack() as opened:
            try:
                file = opened.enter_context(tempfile.NamedTemporaryFile("w", prefix="sqlchat-authorities-"))
                file.write(target.authorities)
                file.flush()
            except OSError as exc:
                raise psycopg2.OperationalError("no temporary file for the authorities") from exc
            yield file.name


_RAW = psycopg2.extensions.new_type(tuple(psycopg2.extensions.string_types), "TEXT OF ANY", lambda text, _: text)
"""Returns every value as the server's text, on connections that register it."""
