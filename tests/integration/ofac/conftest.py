"""ofac-service and what it stands on, running; lists to load into it."""

import asyncio
import os
import random
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import httpx
import pytest

from hack.dev.catalog import REPOSITORY, environment, python
from hack.dev.identity import Identity
from hack.dev.processes import Processes, wait_for
from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, ensure
from tests.support.sanctions import listing
from tests.support.sanctions.people import World

NAME = "ofac-service"


@pytest.fixture
def ofac(stack: Stack, identity: Identity, client: httpx.AsyncClient) -> Calls:
    """ofac-service, called as risk-service."""
    ensure(stack, NAME)
    return Calls(stack, identity, client, NAME, "risk-service")


def load(stack: Stack, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the loading command in the service's own environment, as the service's own role."""
    host, port = stack.servers.postgres
    variables = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(REPOSITORY / "services/src"),
        "DATABASE_HOST": host,
        "DATABASE_PORT": str(port),
        "DATABASE_NAME": stack.servers.database,
        "DATABASE_USER": "ofac",
        "DATABASE_PASSWORD": "dev-ofac",
    }
    command = [python(), "-m", "payments.ofac.load", str(folder), "--by", "test", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
async def sample_again(stack: Stack) -> AsyncIterator[None]:
    """Whatever a test does to the list, the sample is in force afterwards."""
    yield
    with as_file(files("payments.ofac.sample")) as folder:
        done = load(stack, folder, "--insist")
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Invented:
    """An invented list: its entries, and its files in a folder."""

    entries: list[listing.Listed]
    folder: Path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put other contents into the folder."""
        for name, content in files.items():
            (self.folder / name).write_bytes(content)

    def files(self) -> dict[str, bytes]:
        """What lies in the folder."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


def invented(folder: Path, *, seed: int, size: int) -> Invented:
    """An invented list of `size` entries in `folder`."""
    rng = random.Random(seed)
    entries = listing.generate(rng, World.of(rng, given=20, surnames=40, coined=300), size)
    made = Invented(entries, folder)
    made.write(listing.files(entries, rng))
    return made


class Instances:
    """Further instances of ofac-service with settings of a test's own."""

    def __init__(self, stack: Stack, log_folder: Path) -> None:
        self._stack = stack
        self._log_folder = log_folder
        self._running: list[Processes] = []

    async def start(self, **variables: str) -> str:
        """An instance that is ready: its URL."""
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        ports = self._stack.ports | {NAME: port}
        service = self._stack.services[NAME]
        values = environment(service, self._stack.identity, self._stack.servers, ports)
        processes = Processes(self._log_folder)
        processes.start(f"ofac-{port}", values | variables)
        self._running.append(processes)
        url = f"http://127.0.0.1:{port}"
        await asyncio.to_thread(wait_for, f"{url}/ready", seconds=120, alive=processes)
        return url

    def kill(self) -> None:
        """SIGKILL all of them."""
        while self._running:
            processes = self._running.pop()
            for name in processes.names():
                processes.kill(name)


@pytest.fixture
def instances(stack: Stack, log_folder: Path) -> Iterator[Instances]:
    """Starts instances; they end with the test."""
    made = Instances(stack, log_folder)
    yield made
    made.kill()
