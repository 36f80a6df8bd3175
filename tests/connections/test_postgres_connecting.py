"""Getting a connection to Postgres: which fields count, who is believed, what is warned of."""

import contextlib
import json
import socket
import struct
import threading

import pytest

from sqlchat.config import Settings
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.connections.postgres.errors import make_config_error
from sqlchat.errors import ConnectionConfigError, DatabaseUnavailableError
from sqlchat.workers import Workers

WORKERS = Workers(1, 1024)


@contextlib.contextmanager
def connected(config, **settings):
    connection = PostgresConnection(config, Settings(**settings), WORKERS)
    try:
        yield connection
    finally:
        connection.close()


def rows(connection, sql):
    return json.loads(connection.run(sql, max_rows=10, timeout=100).rows)


def test_an_owner_is_warned_of(postgres_database, execute):
    with connected(postgres_database) as connection:
        assert connection.check() == ["The role may create objects; a role that may only read is safer."]
        execute("CREATE TABLE t (n int)")
        assert connection.check() == ["The role may write to 1 tables; a role that may only read is safer."]


def test_a_superuser_is_warned_of(postgres_database, postgres_server):
    config = postgres_database | {"user": postgres_server.user, "password": postgres_server.password}
    with connected(config) as connection:
        assert connection.check() == ["The role is a superuser; give this connection a role that may only read."]


def test_a_reader_is_not_warned_of(postgres_database, postgres_server, execute):
    name = postgres_database["database"] + "_reader"
    execute("CREATE TABLE t (n int); GRANT SELECT ON t TO PUBLIC")
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p'")
    with connected(postgres_database | {"user": name, "password": "p"}) as connection:
        assert connection.check() == []
    postgres_server.execute(f"GRANT pg_read_server_files TO {name}")
    with connected(postgres_database | {"user": name, "password": "p"}) as connection:
        assert connection.check()[0].startswith("The role may reach the database server's files")
    postgres_server.execute(f"DROP ROLE {name}")


def test_a_url_serves_as_well(postgres_database):
    c = postgres_database
    with connected(
        {"url": f"postgres://{c['user']}:{c['password']}@{c['host']}:{c['port']}/{c['database']}"}
    ) as found:
        assert rows(found, "SELECT current_database()") == [[c["database"]]]


def test_the_search_path(postgres_database, execute):
    execute('CREATE SCHEMA "Odd, one"; CREATE TABLE "Odd, one".t AS SELECT 7 AS n')
    with connected(postgres_database | {"schema": '"Odd, one", public'}) as connection:
        assert rows(connection, "SELECT n FROM t") == [[7]]
        assert connection.catalog().default_schema == "Odd, one"
    with pytest.raises(ConnectionConfigError, match="schema: "):
        PostgresConnection(postgres_database | {"schema": "a; DROP"}, Settings(), WORKERS)


@pytest.mark.parametrize("schema", ["hopsital", "hospital, closed", '"Hospital"', '"od""d"'])
def test_a_schema_that_is_not_there_or_may_not_be_used_is_named(postgres_server, postgres_database, schema):
    postgres_server.execute("CREATE SCHEMA closed", postgres_database["database"])
    with connected(postgres_database | {"schema": schema}) as connection:
        with pytest.raises(ConnectionConfigError, match="schema: There is no schema ") as caught:
            connection.check()
        assert all(name.strip('"').replace('""', '"') in caught.value.detail for name in schema.split(", "))


def test_of_several_schemas_one_that_is_there_is_enough(postgres_database, execute):
    execute('CREATE SCHEMA "Odd, one"')
    with connected(postgres_database | {"schema": '"Odd, one", hopsital, "$user"'}) as connection:
        assert "There is no schema 'hopsital' that the role may use." in connection.check()
    with connected(postgres_database | {"schema": '"Odd, one", pg_catalog'}) as connection:
        assert not any("schema" in warning for warning in connection.check())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "not-this-one"}, "password authentication failed"),
        ({"password": ""}, "password"),
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"user": "é" * 40}, "no UTF-8"),  # the server cuts the name within a character
        ({"port": 1}, "Connection refused"),
        ({"sslmode": "require"}, "SSL"),
    ],
)
def test_a_server_of_our_own_speaks_for_itself(postgres_database, change, words):
    with connected(postgres_database | change) as connection:
        with pytest.raises(ConnectionConfigError) as caught:
            connection.check()
        assert words in caught.value.detail
        assert "not-this-one" not in caught.value.detail
        assert postgres_database["password"] not in caught.value.detail
        with pytest.raises(DatabaseUnavailableError):
            rows(connection, "SELECT 1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('FATAL:  password authentication failed for user "x"', "the user or the password is wrong (SQLSTATE 28P01)"),
        ('FATAL:  database "x" does not exist', "the database does not exist there (SQLSTATE 3D000)"),
        ("FATAL:  root:x:0:0 <script>", "for a reason that the server gave in words of its own"),
        ("timeout expired", "the server did not answer in time"),
    ],
)
def test_a_stranger_does_not(text, told):
    detail = make_config_error(text, "s3cret", near=False).detail
    assert told in detail
    assert "<script>" not in detail


def test_private_hosts_are_left_alone_where_the_setting_says_so(postgres_database):
    with (
        connected(postgres_database, private_hosts=False) as connection,
        pytest.raises(ConnectionConfigError, match="private addresses"),
    ):
        connection.check()


def test_the_environment_and_files_of_our_account_take_no_part(postgres_database, monkeypatch, tmp_path):
    """What libpq would add by itself: a server that asks for the password in clear must get none of ours."""
    secrets = tmp_path / "pgpass"
    secrets.write_text("*:*:*:*:from-the-file\n")
    secrets.chmod(0o600)
    for name, value in {
        "PGPASSWORD": "from-the-environment",
        "PGPASSFILE": str(secrets),
        "PGHOST": "/nowhere",
        "PGHOSTADDR": "192.0.2.1",
        "PGOPTIONS": "-c default_transaction_read_only=off -c search_path=evil",
        "PGSSLMODE": "verify-full",
        "PGTARGETSESSIONATTRS": "standby",
        "PGREQUIREAUTH": "none",
        "PGCONNECT_TIMEOUT": "1",
        "PGCLIENTENCODING": "LATIN1",
        "PGAPPNAME": "other",
        "PGDATABASE": "other",
        "PGUSER": "other",
        "PGCHANNELBINDING": "require",
        "PGGSSENCMODE": "require",
        "PGSSLCERT": str(secrets),
        "PGLOADBALANCEHOSTS": "nonsense",
        "PGSSLCERTMODE": "require",
        "PGSSLNEGOTIATION": "direct",
        "PGSSLMINPROTOCOLVERSION": "TLSv1.3",
        "PGSSLROOTCERT": str(secrets),
    }.items():
        monkeypatch.setenv(name, value)
    with connected(postgres_database) as connection:
        assert rows(connection, "SELECT current_setting('search_path'), 'ä'") == [['"$user", public', "ä"]]
    said = []
    listener = socket.create_server(("127.0.0.1", 0))

    def ask_for_the_password():
        client, _ = listener.accept()
        with client:
            while not said:
                size = struct.unpack("!i", client.recv(4))[0]
                if client.recv(size - 4)[:4] == b"\x04\xd2\x16\x2f":  # asks for TLS
                    client.sendall(b"N")
                    continue
                client.sendall(b"R" + struct.pack("!ii", 8, 3))
                said.append(client.recv(1000))

    thread = threading.Thread(target=ask_for_the_password)
    thread.start()
    nosy = postgres_database | {"port": listener.getsockname()[1], "password": ""}
    with connected(nosy) as connection, pytest.raises(ConnectionConfigError):
        connection.check()
    thread.join()
    listener.close()
    assert b"from-the" not in said[0]
