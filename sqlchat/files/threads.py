"""Works on the blocks of a file in two threads and gives the results in the file's order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

B = TypeVar("B")
R = TypeVar("R")

THREADS = 2
"""Arrow, NumPy and pandas release the interpreter's lock while they work."""


def work_in_order(work: Callable[[B], R], blocks: Iterable[B]) -> Iterator[R]:
    """Give the results of `work` for each block. Few blocks are in memory at a time.

    Raises the error of the first block that fails; MemoryError if there is no room for a thread.
    """
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for block in blocks:
            try:
                pending.append(pool.submit(work, block))
            except RuntimeError as exc:  # no memory for a thread's stack
                raise MemoryError(str(exc)) from exc
            del block
            while len(pending) > THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
