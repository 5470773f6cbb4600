"""Locks between processes, by flock(2): the kernel frees them when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hack.kind.proc import Failure
from hack.kind.settings import Cache
from hack.progress import say


@contextmanager
def locked(cache: Cache, name: str, timeout: float = 3600) -> Iterator[None]:
    """Holds the lock `name` of this cache; waits `timeout` seconds for it, then raises Failure."""
    cache.locks.mkdir(parents=True, exist_ok=True)
    path = cache.locks / f"{name}.lock"
    deadline = time.monotonic() + timeout
    told = False
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Failure(
                        f"another process has held {path} for {timeout:.0f} s; end it and try again"
                    ) from None
                if not told:
                    say(f"    waiting for another process that holds the lock '{name}'")
                    told = True
                time.sleep(0.5)
        yield
