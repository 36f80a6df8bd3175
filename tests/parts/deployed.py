"""The service as it is deployed: a real gunicorn by the Procfile's lines, its processes, what it answers."""

import contextlib
import http.client
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import fields
from pathlib import Path

from ports import free_port

from sqlchat.config import Settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def answer_to(request, timeout):
    """The open answer, also where its status tells of a fault."""
    try:
        return urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        return error


def environment(**given):
    """Ours alone: what this machine has set (or a .env file would) is emptied out."""
    blank = {row.metadata["env"]: "" for row in fields(Settings)} | {"WEB_CONCURRENCY": "2"}
    return os.environ | blank | {"PATH": f"{BIN}:{os.environ['PATH']}"} | given


def procfile():
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


class Service:
    """The Procfile's web line (or `command`), in a session of its own, so that all its processes can be counted.

    With authentication it would listen on all addresses: then pass `is_bound=True`.
    """

    def __init__(self, data_dir, *, command=None, folder=ROOT, is_bound=False, **given):
        self._command, self._folder = command or shlex.split(procfile()["web"]), folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(SQLCHAT_DATA_DIR=str(data_dir), PORT=str(self.port), **given)
        self.count = int(self.environment["WEB_CONCURRENCY"])
        self._state_dir = Path(data_dir, "state")
        self.out = ""
        self._arguments = ["--bind", f"127.0.0.1:{self.port}"] if is_bound else []

    def __enter__(self):
        self.process = subprocess.Popen(
            [*self._command, *self._arguments],
            cwd=self._folder,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.until(self.is_whole)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc):
        self.stop()

    def _read(self):
        for line in self.process.stdout:
            self.out += line

    def stop(self):
        """SIGTERM to gunicorn alone; gives its exit status. Nothing of it may be left."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(150)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        try:
            self.until(lambda: not self.processes())
        finally:
            for pid in self.processes():
                send_signal(pid, signal.SIGKILL)
            self._reader.join(30)
            self.process.stdout.close()
        return self.process.wait()

    def processes(self):
        """Every living process of the session."""
        return [pid for pid, stat in stats() if stat["session"] == self.process.pid and stat["state"] != "Z"]

    def workers(self):
        return [pid for pid, stat in stats() if stat["parent"] == self.process.pid and stat["state"] != "Z"]

    def until(self, condition, seconds=180):
        """Wait for `condition`. The limit is far above what a busy machine needs: only a fault reaches it."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.out
            time.sleep(0.1)

    @contextlib.contextmanager
    def through(self, worker):
        """Have `worker` alone answer, by halting the others, which may be killed meanwhile."""
        halted = [pid for pid in self.workers() if pid != worker]
        try:
            for pid in halted:
                self._halt(pid)
            yield
        finally:
            for pid in halted:
                send_signal(pid, signal.SIGCONT)

    def _halt(self, worker):
        """Stop it, but not while it holds a lock of the embedded store, for which the others would wait."""
        for _ in range(1000):
            send_signal(worker, signal.SIGSTOP)
            self.until(lambda: state_of(worker) in (None, "T", "Z"))
            if worker not in lockers(self._state_dir):
                return
            send_signal(worker, signal.SIGCONT)
            time.sleep(0.02)

    def count_statements(self):
        """How many statements its SQL processes run, as all workers counted them within the last seconds."""
        with answer_to(self.url + "/metrics", 150) as answer:
            found = re.search(r'_processes{pool="databases",state="busy"} (\S+)', answer.read().decode())
        return float(found[1]) if found else 0

    def is_whole(self):
        """All workers are there and answer."""
        assert self.process.poll() is None, self.out
        return len(self.workers()) == self.count and all(map(self.serves, self.workers()))

    def serves(self, worker):
        with self.through(worker), contextlib.suppress(OSError):
            return self.call("GET", "/health", timeout=20)[0] == 200
        return False

    def call(self, method, path, body=None, token=None, timeout=150):
        """Status, decoded body and headers; raises OSError if no whole answer came."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with answer_to(request, timeout) as answer:
                return answer.status, json.loads(answer.read() or b"null"), answer.headers
        except http.client.HTTPException as exc:
            raise ConnectionError(f"the answer broke off: {exc!r}") from exc

    def execute(self, name, sql="SELECT n FROM t"):
        status, body, _ = self.call("POST", "/api/execute", {"connection_id": name, "sql": sql})
        return status, body["results"]["rows"] if status == 200 else body["code"]

    def connect(self, name, database):
        body = {"provider": "sqlite", "name": name, "config": {"database": database}}
        return self.call("POST", "/api/connections", body)[0]

    def lines(self):
        """Its log: the lines that are JSON."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


def stats(*pids):
    """(id, facts) of each process, or of those of `pids` that are there."""
    for folder in map(Path("/proc").joinpath, map(str, pids)) if pids else Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            yield (
                int(folder.name),
                {
                    "state": after_name[0],
                    "parent": int(after_name[1]),
                    "session": int(after_name[3]),
                    "ticks": int(after_name[11]) + int(after_name[12]),
                },
            )


def state_of(pid):
    """The letter of its state; None once it is gone."""
    return next((stat["state"] for other, stat in stats(pid)), None)


def ports_of(worker):
    """The ports from which clients have a connection with the process `worker`."""
    inodes = set()
    for descriptor in Path(f"/proc/{worker}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    lines = (line.split() for line in Path(f"/proc/{worker}/net/tcp").read_text().splitlines()[1:])
    return {int(line[2].partition(":")[2], 16) for line in lines if line[9] in inodes}


def lockers(folder):
    """Ids of the processes that have a file of `folder` locked against all others."""
    inodes = {str(file.stat().st_ino) for file in folder.glob("*")}
    locks = (line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" not in line)
    return {int(pid) for _, _, _, mode, pid, file, *_ in locks if mode == "WRITE" and file.split(":")[2] in inodes}


def send_signal(pid, number):
    """Send it, unless the process is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def flask(line, **given):
    """Run a `flask ...` line as a user would; gives the finished process."""
    return subprocess.run(
        shlex.split(line),
        cwd=ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def a_database(path, value=7):
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (n INTEGER)")
        database.execute("INSERT INTO t VALUES (?)", [value])
        database.commit()
