"""Ends a server's process with that of the tests, even if the tests are killed and can end nothing themselves."""

import ctypes
import functools
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def end_with_parent(by: signal.Signals) -> Callable[[], object] | None:
    """Return a `preexec_fn` that has the kernel send the signal `by` when the parent dies; None if it cannot."""
    if sys.platform != "linux":
        return None
    return functools.partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, int(by))
