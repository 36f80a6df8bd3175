"""Servers that speak Spark Connect on loopback: Sail, and a cluster of Apache Spark where one is installed."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ports import free_port

from sqlchat.connections.spark.config import read_config
from sqlchat.connections.spark.session import Session, SparkError

SAIL = """
import sys
from pysail.spark import SparkConnectServer
SparkConnectServer("127.0.0.1", int(sys.argv[1])).start(background=False)
"""
# pyspark takes a process whose main module has no file, such as one of pytest-xdist, for one that runs its doctests.
vars(sys.modules["__main__"]).setdefault("__file__", __file__)
HAS_SAIL = importlib.util.find_spec("pysail") is not None and importlib.util.find_spec("pyspark") is not None
SPARK_HOME = os.environ.get("SPARK_HOME", "")
"""Of an installed Apache Spark, such as the folder of PyPI's package pyspark."""


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
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env=os.environ | environ,
                    start_new_session=True,
                )
            )

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.open().close()
                return
            except SparkError:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("log*"))
                assert all(process.poll() is None for process in self._processes), logs
                assert time.monotonic() < deadline, logs
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
        self.wait(60)


class SparkCluster(SparkServer):
    """A master, two workers and a Connect server."""

    short = 8.0

    def __init__(self) -> None:
        super().__init__()
        master, binaries = free_port(), Path(SPARK_HOME) / "bin"
        here = {"SPARK_LOCAL_IP": self.host, "SPARK_HOME": SPARK_HOME, "SPARK_NO_DAEMONIZE": "1"}
        run, of = str(binaries / "spark-class"), "org.apache.spark.deploy"
        listen = ["--host", self.host]
        self.start(
            run, f"{of}.master.Master", *listen, "--port", str(master), "--webui-port", str(free_port()), **here
        )
        for number in range(2):
            size = ["--cores", "1", "--memory", "600m", "--work-dir", str(self.folder / f"work{number}")]
            ports = ["--webui-port", str(free_port()), f"spark://{self.host}:{master}"]
            self.start(run, f"{of}.worker.Worker", *listen, *size, *ports, **here)
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
        self.start(str(binaries / "spark-submit"), *place, *conf, "spark-internal", **here)
        self.wait(300)
        session = self.open()
        session.ask("SELECT count(*) FROM range(100) WHERE rand() < 2", 300)  # a cluster's first query takes long
        session.close()
