"""Whom a TLS connection to Postgres trusts.

The Postgres of these tests is built without TLS, so a door of real TLS stands before it: it takes the handshake, with
a certificate of a test's own authority, and hands on what it decrypts.
"""

import contextlib
import os
import socket
import ssl
import tempfile
import threading

import pytest
from certificates import Authority
from relays import relay

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.errors import ConnectionConfigError, DatabaseUnavailableError
from sqlchat.workers import Workers

WORKERS = Workers(1, 1024)
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class Door:
    """Listens on `port` and counts the connections that it has `encrypted`."""

    def __init__(self, behind, certificate, key):
        self._behind, self._context = behind, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.encrypted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self._listener.accept()[:1], daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client:
            assert client.recv(8, socket.MSG_WAITALL) == SSL_REQUEST
            client.sendall(b"S")
            with (
                self._context.wrap_socket(client, server_side=True) as secure,
                socket.create_connection(("127.0.0.1", self._behind)) as server,
            ):
                self.encrypted += 1
                relay(secure, server)


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def door(postgres_database, authority, tmp_path):
    door = Door(postgres_database["port"], *authority.files(tmp_path, "localhost"))
    yield door
    door.close()


@pytest.fixture
def tls_database(postgres_database, door):
    """Config of a database whose server is `localhost` to those who trust `authority`."""
    return postgres_database | {"host": "localhost", "port": door.port}


@pytest.fixture
def opened():
    """Makes connections that are closed at the end."""
    made = []

    def make(config):
        made.append(PostgresConnection(config, Settings(pool_size=1), WORKERS))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


def refused(connection):
    with pytest.raises(ConnectionConfigError) as refusal:
        connection.check()
    with pytest.raises(DatabaseUnavailableError):
        connection.run("SELECT 1", max_rows=1, timeout=100)
    return refusal.value.detail


def test_who_is_trusted_and_who_is_not(tls_database, door, authority, opened, monkeypatch, tmp_path):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    pem = authority.pem

    def is_encrypted(connection):
        before = door.encrypted
        connection.check()
        assert connection.run("SELECT 1", max_rows=1, timeout=100).rows == b"[[1]]"
        return door.encrypted > before

    assert is_encrypted(opened(tls_database | {"sslmode": "require"}))
    for sslmode in ("verify-full", "verify-ca", None):
        assert is_encrypted(opened(tls_database | {"sslmode": sslmode, "sslrootcert": pem}))
    by_number = tls_database | {"host": "127.0.0.1", "sslrootcert": pem}  # a name that its certificate does not hold
    assert is_encrypted(opened(by_number | {"sslmode": "verify-ca"}))
    assert "127.0.0.1" in refused(opened(by_number | {"sslmode": "verify-full"}))
    stranger = Authority("a stranger").pem
    for sslmode in ("verify-full", "verify-ca"):
        for trusted in ({}, {"sslrootcert": stranger}):
            assert "certificate verify failed" in refused(opened(tls_database | {"sslmode": sslmode} | trusted))
    assert is_encrypted(opened(tls_database | {"sslrootcert": stranger + pem}))
    assert os.listdir(tmp_path / "temporary") == []


def test_a_server_without_tls_is_refused(postgres_database, authority, opened):
    config = postgres_database | {"host": "localhost"}
    for more in ({"sslmode": "require"}, {"sslrootcert": authority.pem}):
        assert "SSL" in refused(opened(config | more))
    opened(config | {"sslmode": "prefer"}).check()


@pytest.mark.parametrize(
    "given",
    [
        "/etc/ssl/certs/ca-certificates.crt",
        "system",
        "",
        "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nbm8=\n-----END PRIVATE KEY-----\n",
        "x" * 200_000,
        "\ud800",
        7,
        ["-----BEGIN CERTIFICATE-----"],
    ],
    ids=lambda given: str(given)[:30].encode(errors="replace").decode(),
)
def test_what_is_no_certificate_is_refused(postgres_database, given):
    with pytest.raises(ConnectionConfigError, match="sslrootcert: must be certificates as text"):
        PostgresConnection(postgres_database | {"sslrootcert": given}, Settings(), WORKERS)


def test_authorities_without_a_mode_that_asks_them_are_refused(postgres_database, authority):
    config = postgres_database | {"sslrootcert": authority.pem, "sslmode": "require"}
    with pytest.raises(ConnectionConfigError, match="needs sslmode verify-full"):
        PostgresConnection(config, Settings(), WORKERS)
