"""Steps of long work, told on stderr with their times, so that stdout stays free for results.

    with step("Kubernetes binaries") as current:
        current.note("compiling kubelet")      # a line of its own below the step
        current.done("already built")          # ends up in the closing line

A step that runs long says every HEARTBEAT_SECONDS that it is still alive; one that fails is named with its
time. PROGRESS_LABEL goes in front of the lines of a process that works beside another one.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HEARTBEAT_SECONDS = 20.0
_started = time.monotonic()
_label = f"{label} | " if (label := os.environ.get("PROGRESS_LABEL")) else ""


def format_seconds(seconds: float) -> str:
    """Human time: `0.4 s`, `59 s`, `3 min 07 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def say(text: str) -> None:
    """One progress line on stderr, after the time since this process began."""
    print(f"[{time.monotonic() - _started:7.1f} s] {_label}{text}", file=sys.stderr, flush=True)


class Step:
    """The running step; see the module's example."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outcome = "done"
        self.began = time.monotonic()
        self._last_note = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def note(self, text: str) -> None:
        self._last_note = text
        say(f"    {text}")

    def done(self, outcome: str) -> None:
        """Sets the words of the closing line (it is printed when the step ends)."""
        self.outcome = outcome

    def beat(self) -> None:
        doing = f": {self._last_note}" if self._last_note else ""
        say(f"    … {self.name}{doing} (still running, {format_seconds(self.seconds)})")


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Prints the step's beginning, heartbeat and end with the time it took; lets every exception through."""
    current = Step(name)
    finished = threading.Event()

    def heartbeat() -> None:
        while not finished.wait(HEARTBEAT_SECONDS):
            current.beat()

    say(f"{name} …")
    thread = threading.Thread(target=heartbeat, daemon=True)
    thread.start()
    try:
        yield current
    except BaseException as error:
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else "FAILED"
        say(f"{name}: {why} after {format_seconds(current.seconds)}")
        raise
    else:
        say(f"{name}: {current.outcome} ({format_seconds(current.seconds)})")
    finally:
        finished.set()
        thread.join(timeout=1)
