"""Makes the folder in which all web processes of one gunicorn keep their counts, so that each can compute the sums.

Its name has the process id of gunicorn's master: two services on one machine never share one. It is in memory if the
system has such a place: a full disk would end a process that writes to a mapped file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "sqlchat-metrics-"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable by which `prometheus_client` finds the folder when a process imports it."""


def create_folder() -> None:
    """Make an empty folder for this master and set VARIABLE. Removes the folders of masters that have ended."""
    for old in _find_root().glob(f"{PREFIX}*"):
        pid = old.name.removeprefix(PREFIX).partition("-")[0]
        if pid == str(os.getpid()) or not Path("/proc", pid).exists():
            shutil.rmtree(old, ignore_errors=True)
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_find_root())


def remove_folder() -> None:
    """Remove the folder if this process is its master: the children have the same VARIABLE."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if folder.name.startswith(f"{PREFIX}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)


def forget_process(pid: int) -> None:
    """Delete the gauges of a process that ended; its counters stay in the sums."""
    for gauges in Path(os.environ[VARIABLE]).glob(f"gauge_live*_{pid}.db"):
        gauges.unlink(missing_ok=True)


def is_first(event: str) -> bool:
    """Whether no process of this folder has called this with `event` before; always True without a folder."""
    if VARIABLE not in os.environ:
        return True
    with contextlib.suppress(FileExistsError):
        os.close(os.open(Path(os.environ[VARIABLE], event), os.O_CREAT | os.O_EXCL))
        return True
    return False


def _find_root() -> Path:
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it is made with a name of its own
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
