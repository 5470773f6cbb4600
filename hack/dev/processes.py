"""Child processes with their output prefixed by name, stopped together."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class Processes:
    """Starts children, prints what they say behind their names (or into files), and ends them."""

    def __init__(self, log_folder: Path | None = None) -> None:
        self.log_folder = log_folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command` under `name`; a name that runs already is an error."""
        if name in self._children and self._children[name].poll() is None:
            raise RuntimeError(f"{name} is running already")
        if self.log_folder is not None:
            self.log_folder.mkdir(parents=True, exist_ok=True)
            with (self.log_folder / f"{name}.log").open("ab") as log:
                child = subprocess.Popen(command, env=dict(environment), stdout=log, stderr=subprocess.STDOUT)
        else:
            child = subprocess.Popen(
                command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            assert child.stdout is not None
            colour = _COLOURS[len(self._children) % len(_COLOURS)]
            threading.Thread(target=_relay, args=(name, colour, child.stdout), daemon=True).start()
        self._children[name] = child

    def names(self) -> list[str]:
        """Names of the children that run now."""
        return [name for name, child in self._children.items() if child.poll() is None]

    def pid(self, name: str) -> int:
        """Process id of a child."""
        return self._children[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL a child and wait for its end; it is nobody's child then."""
        child = self._children.pop(name)
        child.kill()
        child.wait(10)

    def dead(self) -> list[str]:
        """Names of children that ended by themselves."""
        return [name for name, child in self._children.items() if child.poll() is not None]

    def last_words(self, name: str) -> str:
        """The end of what a child has written, where it writes into a file."""
        if self.log_folder is None or not (log := self.log_folder / f"{name}.log").is_file():
            return ""
        return log.read_text(errors="replace")[-1500:]

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL after 10 s to what remains."""
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        end = time.monotonic() + 10
        for child in self._children.values():
            try:
                child.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)
        self._children.clear()


def _relay(name: str, colour: int, stream: IO[bytes]) -> None:
    paint = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    label = f"\x1b[{colour}m{name:<20}\x1b[0m" if paint else f"{name:<20}"
    for line in stream:
        sys.stdout.write(f"{label} {line.decode(errors='replace')}")
        sys.stdout.flush()


def wait_for(url: str, *, seconds: float, alive: "Processes | None" = None) -> None:
    """Wait until `url` answers 200.

    Raises:
        TimeoutError: it did not in time; the message holds the last answer.
        RuntimeError: a child of `alive` ended meanwhile.
    """
    end = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                if response.status == 200:
                    return
        except urllib.error.HTTPError as error:
            last = f"{error.code} {error.read(300).decode(errors='replace')}"
        except OSError as error:
            last = str(error)
        if alive is not None and (dead := alive.dead()):
            told = "".join(f"\n--- {name}\n{alive.last_words(name)}" for name in dead)
            raise RuntimeError(f"ended while starting: {', '.join(dead)}{told}")
        time.sleep(0.1)
    raise TimeoutError(f"{url} is not ready after {seconds:.0f} s: {last}")
