"""How far one upload may make the process grow that reads it, or makes a table of it. Runs in that process."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

R = TypeVar("R")

GROWTH = 896 << 20
"""Bytes of address space beyond what the process has: with what it holds and has not touched yet, 1 GB of memory."""
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Of glibc's mallopt."""
LARGE = 256 << 10
"""Bytes of a piece of memory that the system gives, and gets back, by itself."""
ARENAS = 2


def bounded(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """`function(*args, **kwargs)`, which raises MemoryError where the process would grow by more than 1 GB."""
    use_system_allocator()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _address_space() + GROWTH
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        return function(*args, **kwargs)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def use_system_allocator() -> None:
    """Have Arrow take memory from the system's allocator: for blocks of a file it is a tenth faster than Arrow's own,
    which also sets a gigabyte of address space apart at once, and a bound beyond that is none."""
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # also where Arrow does not ask for Python's choice
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())


def keep_no_spare_memory() -> None:
    """Have the system's allocator take little more address space than is in use, as far as it is glibc's.

    It sets 64 MiB apart for each of several threads, and keeps what was freed in pieces of up to 32 MiB. With that,
    two thousand columns that hold 200 MiB fill 4 GiB. It costs the reading of a narrow file a tenth of its time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, LARGE)


def _address_space() -> int:
    """Bytes that this process has mapped; where the system does not say, more than it can have."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 46
