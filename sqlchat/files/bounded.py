"""How far one upload may make the process grow that reads it, or makes a table of it. Runs in that process."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlchat.files.allocator import use_system_allocator

R = TypeVar("R")

GROWTH = 896 << 20
"""Bytes of address space beyond what the process has: with what it holds and has not touched yet, 1 GB of memory."""


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


def _address_space() -> int:
    """Bytes that this process has mapped; where the system does not say, more than it can have."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 1 << 46
