"""Waiting for what a cluster does, also while its API server is away."""

import subprocess
import time
from collections.abc import Callable


def seconds_until(check: Callable[[], bool], limit: float, what: str, pause: float = 0.3) -> float:
    """Seconds until `check` holds; a kubectl that gets no answer is asked again. Fails after `limit`."""
    began = time.monotonic()
    error = ""
    while True:
        try:
            if check():
                return time.monotonic() - began
            error = ""
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
            error = f" ({getattr(problem, 'stderr', None) or problem})"
        assert time.monotonic() - began < limit, f"{what}: not within {limit:.0f} s{error}"
        time.sleep(pause)
