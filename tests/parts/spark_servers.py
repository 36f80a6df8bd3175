"""Servers that speak Spark Connect on loopback: Sail, and a cluster of Apache Spark where one is installed."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from ports import free_port

from sqlchat.connections.spark.config import read_config
from sqlchat.connections.spark.session import Session, SparkError

SAIL = """
import sys
from pysail.spark import SparkConnectServer
SparkConnectServer("127.0.0.1", int(sys.argv[1])).start(background=False)
"""
LAUNCHER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Has the kernel end a server (PR_SET_PDEATHSIG) if the tests are killed. A `preexec_fn` would fork, see below."""
# gRPC's handlers of a fork may crash the child, which is to be another program at once.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
# pyspark takes a process whose main module has no file, such as one of pytest-xdist, for one that runs its doctests.
vars(sys.modules["__main__"]).setdefault("__file__", __file__)
HAS_SAIL = importlib.util.find_spec("pysail") is not None and importlib.util.find_spec("pyspark") is not None
CLUSTER = pytest.param("spark_cluster", marks=pytest.mark.spark)
ON_CLUSTER = pytest.mark.parametrize("spark_server", [CLUSTER], indirect=True, scope="session")
ON_EACH_SERVER = pytest.mark.parametrize("spark_server", ["sail", CLUSTER], indirect=True, scope="session")
"""For a test that may end otherwise on Apache Spark than on Sail. All other tests run on Sail alone."""
STARTING = 400
"""Seconds that a server may take to start, while other tests use the same cores."""


def find_spark() -> Path | None:
    """The folder of an Apache Spark that can run here, such as the one that `.ci/run` makes."""
    home = Path(os.environ.get("SPARK_HOME") or Path(__file__).parents[2] / ".venv" / "spark")
    return home if shutil.which("java") and (home / "bin" / "spark-submit").exists() else None


class SlowStartError(Exception):
    """A server runs, and does not answer in time."""


class SparkServer:
    """Processes that end with `close`, in a folder that goes with them."""

    host = "127.0.0.1"
    short = 1.0
    """Seconds after which a statement is surely under way: a cluster may go on with what is ended while it plans."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="sqlchat-spark-"))
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def config(self) -> dict[str, object]:
        return {"host": self.host, "port": self.port}

    def open(self, **fields: object) -> Session:
        """A session of the test's own."""
        return Session(read_config(self.config | fields, ()), self.host)

    def start(self, *command: str, **environ: str) -> None:
        with (self.folder / f"log{len(self._processes)}").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-c", LAUNCHER, *command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env=os.environ | environ,
                    start_new_session=True,
                )
            )

    def wait(self, until: float) -> None:
        """Wait for an answer until the moment `until` of the monotonic clock. Raises SlowStartError."""
        while True:
            try:
                self.open().close()
                return
            except SparkError as exc:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("log*"))
                assert all(process.poll() is None for process in self._processes), logs
                if time.monotonic() > until:
                    raise SlowStartError(logs) from exc
                time.sleep(0.1)

    def stop_processes(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)
        self._processes.clear()

    def close(self) -> None:
        self.stop_processes()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sail(SparkServer):
    def __init__(self) -> None:
        super().__init__()
        self.start_again()

    def start_again(self) -> None:
        self.start(sys.executable, "-c", SAIL, str(self.port))
        self.wait(time.monotonic() + STARTING)


class SparkCluster(SparkServer):
    """A master, two workers and a Connect server."""

    short = 8.0

    def __init__(self, home: Path) -> None:
        super().__init__()
        try:
            self._start_all(home)
            self._run_first_query(time.monotonic() + STARTING)
        except BaseException:
            self.close()
            raise

    def _start_all(self, home: Path) -> None:
        master, run, deploy = free_port(), str(home / "bin" / "spark-class"), "org.apache.spark.deploy"
        here = {"SPARK_LOCAL_IP": self.host, "SPARK_HOME": str(home), "SPARK_NO_DAEMONIZE": "1"}
        small = here | {"SPARK_DAEMON_MEMORY": "256m"}
        listen = ["--host", self.host, "--webui-port", str(free_port())]
        self.start(run, f"{deploy}.master.Master", *listen, "--port", str(master), **small)
        for number in range(2):
            size = ["--cores", "1", "--memory", "600m", "--work-dir", str(self.folder / f"work{number}")]
            listen = ["--host", self.host, "--webui-port", str(free_port())]
            self.start(run, f"{deploy}.worker.Worker", *listen, *size, f"spark://{self.host}:{master}", **small)
        settings = {
            "spark.connect.grpc.binding.address": self.host,
            "spark.connect.grpc.binding.port": self.port,
            "spark.driver.host": self.host,
            "spark.executor.memory": "512m",
            "spark.sql.shuffle.partitions": 2,
            "spark.sql.warehouse.dir": self.folder / "warehouse",
            "spark.ui.enabled": "false",
        }
        conf = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        server = "org.apache.spark.sql.connect.service.SparkConnectServer"
        place = ["--master", f"spark://{self.host}:{master}", "--driver-memory", "700m", "--class", server]
        self.start(str(home / "bin" / "spark-submit"), *place, *conf, "spark-internal", **here)

    def _run_first_query(self, until: float) -> None:
        """Wait for the workers too: a cluster's first query takes long."""
        self.wait(until)
        session = self.open()
        try:
            session.ask("SELECT count(*) FROM range(100) WHERE rand() < 2", max(1.0, until - time.monotonic()))
        except SparkError as exc:
            raise SlowStartError(exc.message) from exc
        finally:
            session.close()
