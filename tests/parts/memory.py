"""How much memory a worker process takes."""

import contextlib
import os
import re
import threading
from pathlib import Path
from typing import Self

from sqlchat.workers import Workers


class Watch:
    """Looks, until the block ends, at the most memory (MiB) that the worker process had, even one that is killed."""

    def __init__(self, workers: Workers) -> None:
        self._status = Path(f"/proc/{workers.call(os.getpid, deadline=120)}/status")
        self.before = self._figure("VmRSS")
        self.most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        with contextlib.suppress(OSError):  # it is gone
            while not self._over.is_set():
                self.most = max(self.most, self._figure("VmHWM"))
                self._over.wait(0.01)
            self.most = max(self.most, self._figure("VmHWM"))

    def _figure(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+)", self._status.read_text())
        return int(found[1]) / 1024 if found else 0.0  # of one that has just ended
