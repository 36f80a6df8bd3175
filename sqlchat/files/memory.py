"""Bounds and tunes the memory of a process that reads files. Allocators other than glibc's are left as they are."""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

R = TypeVar("R")

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Of mallopt."""
NARROW = 24
"""Columns of a table whose arrays are large: freed memory is kept for the next ones."""
LARGE, LARGEST = 256 << 10, 32 << 20
"""Bytes of a piece of memory that the system gives, and gets back, by itself: of a wide table, of a narrow one."""
KEPT = 128 << 20
"""Bytes of freed memory that are kept for a narrow table."""
ARENAS = 2
GROWTH = 896 << 20
"""Bytes of address space that a process may add: 1 GB of memory, with the pages that it mapped but not touched."""


def use_system_allocator() -> None:
    """Have Arrow take memory from the system's allocator: for blocks of a file it is a tenth faster than Arrow's own,
    which also sets a gigabyte of address space apart at once, and a bound beyond that is none."""
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # for the parts of Arrow that do not ask for Python's choice
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())


def tune_allocator(columns: int) -> None:
    """Keep freed memory for the next block if a table has few columns; 0: their number is not known.

    Memory that the system gives comes in empty pages, which take a third of the time of a build. But of many columns
    the allocator keeps gaps in which nothing else finds room: two hundred that hold 200 MiB would fill 3 GiB.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    libc.mallopt(M_ARENA_MAX, ARENAS)
    is_narrow = 0 < columns <= NARROW
    libc.mallopt(M_MMAP_THRESHOLD, LARGEST if is_narrow else LARGE)
    libc.mallopt(M_TRIM_THRESHOLD, KEPT if is_narrow else LARGE)


def run_bounded(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Return `function(*args, **kwargs)`. Raises MemoryError if the process would grow by more than 1 GB."""
    use_system_allocator()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _measure_address_space() + GROWTH
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        return function(*args, **kwargs)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)  # an idle process keeps no memory of the file


def _measure_address_space() -> int:
    """Return the bytes that this process has mapped; more than it can have if the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 46
