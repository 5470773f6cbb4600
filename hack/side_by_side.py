"""Commands that run at once, their progress marked by labels; the first that fails ends the others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


class Stopped(Exception):
    """Another task failed, so this one begins nothing more."""


class Runner:
    """Runs a task's commands one after the other."""

    def __init__(self, label: str) -> None:
        self._environment = {**os.environ, "PROGRESS_LABEL": label}
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()  # no process begins unseen by stop()

    def __call__(self, module: str, *arguments: str) -> str:
        """Run a module of this repository; what it printed. Raises CalledProcessError, Stopped."""
        command = [sys.executable, "-m", module, *arguments]
        with self._lock:
            if self._stopped:
                raise Stopped
            self._process = process = subprocess.Popen(
                command, cwd=REPOSITORY, env=self._environment, stdout=subprocess.PIPE, text=True
            )
        output, _ = process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        return output

    def stop(self) -> None:
        """End what runs, in good order."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()  # nothing happens where it has ended


Task = Callable[[Runner], object]


def side_by_side(tasks: dict[str, Task]) -> None:
    """Run tasks at once, by their labels, until all are done. Raises what the first that fails raises."""
    width = max(map(len, tasks))
    runners = {label: Runner(label.ljust(width)) for label in tasks}
    with ThreadPoolExecutor(len(tasks)) as pool:
        running = [pool.submit(task, runners[label]) for label, task in tasks.items()]
        try:
            for future in as_completed(running):
                future.result()
        except BaseException:
            for runner in runners.values():
                runner.stop()
            raise
