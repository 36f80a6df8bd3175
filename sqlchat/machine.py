"""Reads how much memory the machine, or the control group of the service, has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
MEMORY = Path("/proc/meminfo")


def memory_mb() -> int:
    """MiB that this process and its children may take: the machine's, or what a control group (v1, v2) allows."""
    limits = [*_machine(), *_control_groups()]
    return min(limits) >> 20 if limits else 1 << 20


def _machine() -> Iterator[int]:
    try:
        found = re.search(r"MemTotal:\s+(\d+)", MEMORY.read_text())
    except OSError:
        return
    if found:
        yield int(found[1]) << 10


def _control_groups() -> Iterator[int]:
    """Limits, in bytes, of the groups that this process is in, and of those around them; all there are."""
    try:
        lines = OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, name = CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = root / path.strip("/")
        for folder in (own, *own.parents):
            if folder.is_relative_to(root):
                yield from _limit(folder / name)


def _limit(file: Path) -> Iterator[int]:
    try:
        text = os.fsdecode(file.read_bytes()).strip()
    except OSError:  # of a group that is not visible in this container, where the root's is its own
        return
    if text.isdigit():  # else "max"
        yield int(text)
