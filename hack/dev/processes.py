"""Services as child processes with their output prefixed by name, stopped together.

They are forked from one process that has loaded the libraries: loading them takes longer than all else of a
start, and tests start hundreds of services.
"""

import multiprocessing
import os
import runpy
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import IO

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    """aiohttp aiokafka aiokafka.admin argon2 asyncpg certifi fastapi httptools httpx joserfc.jwk joserfc.jwt
    msgspec prometheus_client pydantic_settings redis.asyncio uuid_utils uvicorn uvloop""".split()
)
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class Processes:
    """Starts children, prints what they say behind their names (or into files), and ends them."""

    def __init__(self, log_folder: Path | None = None) -> None:
        self.log_folder = log_folder
        self._children: dict[str, ForkServerProcess] = {}

    def start(self, name: str, environment: Mapping[str, str]) -> None:
        """Start a service under `name` with this environment and no more. Raises RuntimeError: it runs."""
        if name in self.names():
            raise RuntimeError(f"{name} is running already")
        with self._output(name) as output:
            child = _FORKS.Process(target=_serve, args=(dict(environment), output), name=name, daemon=True)
            child.start()
        self._children[name] = child

    def names(self) -> list[str]:
        """Names of the children that run now."""
        return [name for name, child in self._children.items() if child.is_alive()]

    def pid(self, name: str) -> int:
        """Process id of a child."""
        pid = self._children[name].pid
        assert pid is not None, "it was started"
        return pid

    def kill(self, name: str) -> None:
        """SIGKILL a child and wait for its end; it is nobody's child then."""
        child = self._children.pop(name)
        child.kill()
        child.join(10)

    def dead(self) -> list[str]:
        """Names of children that ended by themselves."""
        return [name for name, child in self._children.items() if not child.is_alive()]

    def last_words(self, name: str) -> str:
        """The end of what a child has written, where it writes into a file."""
        if self.log_folder is None or not (log := self.log_folder / f"{name}.log").is_file():
            return ""
        return log.read_text(errors="replace")[-1500:]

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL after 10 s to what remains."""
        for child in self._children.values():
            child.terminate()
        end = time.monotonic() + 10
        for child in self._children.values():
            child.join(max(0.1, end - time.monotonic()))
            if child.is_alive():
                child.kill()
                child.join(5)
        self._children.clear()

    def _output(self, name: str) -> Connection:
        """Where a child writes: the end of its file, or a pipe to the terminal."""
        if self.log_folder is not None:
            self.log_folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            return Connection(os.open(self.log_folder / f"{name}.log", flags, 0o644), readable=False)
        reader, writer = os.pipe()
        colour = _COLOURS[len(self._children) % len(_COLOURS)]
        threading.Thread(target=_relay, args=(name, colour, os.fdopen(reader, "rb")), daemon=True).start()
        return Connection(writer, readable=False)


def _serve(environment: dict[str, str], output: Connection) -> None:
    """What a child does: `python -m payments.run`."""
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.argv = ["payments.run"]
    runpy.run_module("payments.run", run_name="__main__")


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
