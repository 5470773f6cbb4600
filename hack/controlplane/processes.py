"""Processes that end with the one that started them, however that ends."""

from __future__ import annotations

import ctypes
import signal

#: prctl(2), Linux.
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def end_with_parent() -> None:
    """For `preexec_fn`: the kernel kills the process when the thread that started it ends, however."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
