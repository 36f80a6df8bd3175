"""What the tests of several databases share."""

import contextlib
import getpass
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest
from certificates import Authority
from ports import free_port

from sqlchat.config import Settings
from sqlchat.connections.duckdb.connection import DuckDBConnection
from sqlchat.connections.mysql.connection import MySQLConnection
from sqlchat.connections.postgres.connection import PostgresConnection
from sqlchat.connections.sqlite.connection import SQLiteConnection
from sqlchat.workers import Workers

SERVER = shutil.which("mariadbd") or shutil.which("mysqld")


@pytest.fixture(scope="session")
def workers():
    """Two worker processes of 2 GiB each."""
    pool = Workers(2, 2048)
    yield pool
    pool.close()


@pytest.fixture
def postgres(postgres_database, workers):
    """A Postgres connection to a fresh database, whose results are bounded to 1 MiB."""
    connection = PostgresConnection(
        postgres_database, Settings(max_result_mb=1, pool_size=2, pool_timeout=0.3), workers
    )
    yield connection
    connection.close()


@pytest.fixture
def sqlite(tmp_path, workers):
    return SQLiteConnection({"database": ":memory:"}, Settings(data_dir=tmp_path, max_result_mb=1), workers)


@pytest.fixture
def duck(tmp_path, workers):
    return DuckDBConnection({"database": ":memory:"}, Settings(data_dir=tmp_path, max_result_mb=1), workers)


@pytest.fixture
def mysql(mysql_server, tmp_path, workers):
    config = {"host": "127.0.0.1", "port": mysql_server.port, "database": "mysql", "user": "root", "password": ""}
    connection = MySQLConnection(config, Settings(data_dir=tmp_path, max_result_mb=1), workers)
    yield connection
    connection.close()


@pytest.fixture(params=["postgres", "sqlite", "duck", "mysql"])
def any_connection(request):
    """A connection to each kind of database, whose results are bounded to 1 MiB."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def executing():
    """Of a Postgres' config: what runs statements there, each committed at once, and gives their rows."""
    with contextlib.ExitStack() as opened:

        def connect(config):
            fields = dict(config)
            raw = opened.enter_context(contextlib.closing(psycopg2.connect(dbname=fields.pop("database"), **fields)))
            raw.autocommit = True

            def run(statement):
                with raw.cursor() as cursor:
                    cursor.execute(statement)
                    rows = cursor.fetchall() if cursor.description else []
                    # What it changed counts now: told of later, it would count as changed since an ANALYZE.
                    cursor.execute("SELECT pg_catalog.pg_stat_force_next_flush()")
                    return rows

            return run

        yield connect


@pytest.fixture
def execute(postgres_database, executing):
    """Runs statements as the fresh database's owner."""
    return executing(postgres_database)


@pytest.fixture(scope="session")
def mysql_server():
    """MariaDB or MySQL in a folder of its own; gives `connect(**fields)` as its root, which has its `port` and
    the `authority` that vouches for it as `localhost`."""
    if SERVER is None:
        pytest.skip("needs a MySQL server, such as Debian's package mariadb-server")
    folder, port = Path(tempfile.mkdtemp(prefix="sqlchat-mysql-")), free_port()
    data = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={getpass.getuser()}"]
    if install := shutil.which("mariadb-install-db"):
        command = [install, *data, "--auth-root-authentication-method=normal", "--skip-test-db"]
    else:
        command = [SERVER, *data, "--initialize-insecure"]
    subprocess.run(command, check=True, capture_output=True)
    options = [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder / 's'}",
        f"--pid-file={folder / 'pid'}",
    ]
    authority = Authority()
    certificate, key = authority.files(folder, "localhost")
    options += [f"--ssl-cert={certificate}", f"--ssl-key={key}"]
    options += ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--secure-file-priv="]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([SERVER, *data, *options], stdout=log, stderr=log, start_new_session=True)

    def connect(**fields):
        given: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": "root", "autocommit": True} | fields
        return contextlib.closing(pymysql.connect(**given))

    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                with connect():
                    break
            except pymysql.OperationalError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        vars(connect).update(port=port, authority=authority)
        yield connect
    finally:
        process.terminate()
        process.wait(150)
        shutil.rmtree(folder)
