"""The folder in which all web processes of one gunicorn keep their counts, so that any of them can tell the sums.

Its name has the process id of gunicorn's master: two services on one machine never share one. It is in memory where
the system has such a place: a full disk would end a process that writes to a mapped file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "sqlchat-metrics-"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Of the environment: where `prometheus_client` finds the folder, in whichever process it is first imported."""


def create_folder() -> None:
    """Make this master's folder, empty, and name it in the environment. Removes those of masters that are gone."""
    for old in _root().glob(f"{PREFIX}*"):
        pid = old.name.removeprefix(PREFIX).partition("-")[0]
        if pid == str(os.getpid()) or not Path("/proc", pid).exists():
            shutil.rmtree(old, ignore_errors=True)
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_root())


def remove_folder() -> None:
    """Remove this master's folder, which its children name in their environment too."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if folder.name.startswith(f"{PREFIX}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)


def forget_process(pid: int) -> None:
    """Drop what a process that ended had in use; what it counted stays in the sums."""
    for gauges in Path(os.environ[VARIABLE]).glob(f"gauge_live*_{pid}.db"):
        gauges.unlink(missing_ok=True)


def is_first(event: str) -> bool:
    """True for one process, once in the life of the folder; always True without one."""
    if VARIABLE not in os.environ:
        return True
    with contextlib.suppress(FileExistsError):
        os.close(os.open(Path(os.environ[VARIABLE], event), os.O_CREAT | os.O_EXCL))
        return True
    return False


def _root() -> Path:
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it is made with a name of its own
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
