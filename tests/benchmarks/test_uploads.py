"""A large upload to a real gunicorn: time, and the most memory that any process of the service had."""

import os
import re
import socket
import threading
import time
from pathlib import Path

import pytest
from deployed import Service

from ..test_uploads import HEAD, TAIL, answered, csv, send, start

SIZE = int(os.environ.get("SQLCHAT_BENCHMARK_MB", "50"))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("uploads") / "data"
    with Service(data_dir, SQLCHAT_UPLOAD_TIMEOUT="600", SQLCHAT_MAX_UPLOAD_MB=str(SIZE + 1)) as running:
        yield running


class Watch:
    """The most memory (MiB) of each process of a service until the block ends, and what it had before."""

    def __init__(self, service):
        self._service, self._over = service, threading.Event()
        self.most = {}

    def __enter__(self):
        self.before = sum(map(resident, self._service.processes()))
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(0.1):
            for pid in self._service.processes():
                self.most[pid] = max(self.most.get(pid, 0), resident(pid))


def resident(pid):
    try:
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024
    except (OSError, TypeError):
        return 0


@pytest.mark.benchmark(group="a large upload, profiled and kept")
def test_upload(benchmark, service, tell):
    def upload():
        length = len(HEAD % b"big.csv") + sum(map(len, csv(SIZE))) + len(TAIL)
        with socket.create_connection(("127.0.0.1", service.port), timeout=900) as connection:
            began = time.perf_counter()
            start(connection, length, "/api/files/upload?upsert=true")
            send(connection, [HEAD % b"big.csv"])
            send(connection, csv(SIZE))
            send(connection, [TAIL])
            arrived = time.perf_counter() - began
            status, body = answered(connection, seconds=900)
            return status, body["size_bytes"], arrived

    with Watch(service) as watch:
        status, size, arrived = benchmark.pedantic(upload, rounds=1)
    assert (status, size > SIZE * 900_000) == (201, True)
    web = max(watch.most[pid] for pid in service.workers())
    reader = max(most for pid, most in watch.most.items() if pid not in service.workers())
    tell(
        f"upload of {size >> 20} MiB: arrived after {arrived:.1f} s; web worker at most {web:.0f} MiB, its reader "
        f"{reader:.0f} MiB; all processes had {watch.before:.0f} MiB before"
    )
