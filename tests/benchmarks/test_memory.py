"""Memory of the whole service, all its processes: idle, at questions, and while a file is uploaded and asked.

`.venv/bin/pytest tests/benchmarks -k memory -s`; WEB_CONCURRENCY and SQLCHAT_MEMORY_MB count as they are set. PSS
counts a page that several processes share once; RSS counts it for each of them.
"""

import contextlib
import os
import re
import threading
import time
from pathlib import Path

import pytest
from deployed import Service

from sqlchat.config import Settings

BOUNDARY = "a-boundary-of-the-form"
GIVEN = ("WEB_CONCURRENCY", "SQLCHAT_MEMORY_MB")


class Meter:
    """Looks at the sums (MiB) over all processes of a service, several times a second, until the block ends."""

    def __init__(self, service):
        self._service, self._over = service, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = {"Pss": 0.0, "Rss": 0.0}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(0.05):
            now = sum_memory(self._service.processes())
            self.most = {name: max(self.most[name], now[name]) for name in now}


def sum_memory(pids):
    sums = {"Pss": 0.0, "Rss": 0.0}
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            for name in sums:
                sums[name] += int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1]) / 1024
    return sums


def upload(service, path):
    import urllib.request

    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    body = head.encode() + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    request = urllib.request.Request(service.url + "/api/files/upload?bucket=uploads", body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=300) as response:
        return response.status


def ask(service, connection, prompt):
    body = {"connection_id": connection, "prompt": prompt, "provider": "offline"}
    status, answer, _ = service.call("POST", "/api/chat", body, timeout=300)
    assert status == 200, answer
    return answer


@pytest.mark.parametrize("workers", ["", "2"], ids=["default", "two"])
def test_memory_of_the_service(tmp_path, table, tell, request, workers):
    given = {name: os.environ[name] for name in GIVEN if name in os.environ}
    settings = Settings.from_environ(given)
    given["WEB_CONCURRENCY"] = workers or str(settings.web_concurrency)
    service = Service(tmp_path / "data", **given)

    def show(what, sums):
        tell(f"memory, {request.node.callspec.id}: {what}: PSS {sums['Pss']:.0f} MiB, RSS {sums['Rss']:.0f} MiB")

    with service:
        time.sleep(5)
        show(f"idle, {len(service.processes())} processes", sum_memory(service.processes()))
        with Meter(service) as meter:
            for prompt in ("How many customers are in Germany?", "Top 10 customers by revenue"):
                ask(service, "demo", prompt)
        show("two questions, peak", meter.most)
        with Meter(service) as meter:
            assert upload(service, table) == 201
        show(f"upload of {table.stat().st_size >> 20} MiB, peak", meter.most)
        config = {"files": [f"uploads/{table.name}"]}
        with Meter(service) as meter:
            body = {"provider": "files", "name": "sales", "config": config}
            assert service.call("POST", "/api/connections", body, timeout=300)[0] == 201
            answer = ask(service, "sales", "total amount for each country")
        assert answer["results"]["row_count"] == 4
        show("its connection and first question, peak", meter.most)
        with Meter(service) as meter:
            for prompt in ("number of orders", "average amount per country", "total quantity for each customer"):
                ask(service, "sales", prompt)
        show("more questions, peak", meter.most)
        time.sleep(3)
        show(f"after that, {len(service.processes())} processes", sum_memory(service.processes()))
        if settings.idle_seconds < 120:
            time.sleep(settings.idle_seconds + 5)
            show(
                f"{settings.idle_seconds:.0f} s later, {len(service.processes())} processes",
                sum_memory(service.processes()),
            )
