"""Gateways as processes of their own, with a recorded peer behind them."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hack.dev.catalog import environment
from hack.dev.processes import Processes, wait_for
from hack.dev.stack import Stack
from tests.support.echo_peer import EchoPeer, echo_peer

NAME = "api-gateway"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Gateway:
    """One running gateway. `prefix` is its Redis key prefix; replicas share it."""

    url: str
    prefix: str
    process: str

    def http(self) -> httpx.AsyncClient:
        """A client of this gateway."""
        return httpx.AsyncClient(base_url=self.url, timeout=30)


class Gateways:
    """Starts gateways with settings of a test's own."""

    def __init__(self, stack: Stack, peer: EchoPeer, log_folder: Path) -> None:
        self._stack = stack
        self._peer = peer
        self.log_folder = log_folder
        self.processes = Processes(log_folder)

    async def start(self, *, prefix: str = "", **variables: Any) -> Gateway:
        """A gateway that is ready; variables override its environment."""
        port = free_port()
        prefix = prefix or f"test-{secrets.token_hex(4)}"
        ports = dict.fromkeys(self._stack.ports, self._peer.port) | {NAME: port}
        service = self._stack.services[NAME]
        values = environment(service, self._stack.identity, self._stack.servers, ports)
        values |= {"REDIS_KEY_PREFIX": prefix, "RATE_LIMIT_REQUESTS": "1000000", "LOGIN_FAILURES": "1000000"}
        values |= {name: str(value) for name, value in variables.items()}
        name = f"gateway-{port}"
        self.processes.start(name, values)
        gateway = Gateway(f"http://127.0.0.1:{port}", prefix, name)
        # Readiness is asked from a thread: the peer answers in this loop.
        await asyncio.to_thread(wait_for, f"{gateway.url}/ready", seconds=120, alive=self.processes)
        return gateway

    def log(self, gateway: Gateway) -> str:
        """What the gateway has written."""
        return (self.log_folder / f"{gateway.process}.log").read_text()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
async def peer() -> AsyncIterator[EchoPeer]:
    """What stands behind the gateway."""
    async with echo_peer() as peer:
        yield peer


@pytest.fixture(autouse=True)
def _fresh_peer(peer: EchoPeer) -> None:
    peer.reset()


@pytest.fixture(scope="module")
def gateways(stack: Stack, peer: EchoPeer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    """Starts gateways; all are stopped at the end of the module."""
    gateways = Gateways(stack, peer, tmp_path_factory.mktemp("gateways"))
    yield gateways
    gateways.processes.stop()


@pytest.fixture(scope="session")
async def gateway(
    stack: Stack, peer: EchoPeer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    """A gateway with generous limits, shared by the tests that only ask it."""
    shared = Gateways(stack, peer, tmp_path_factory.mktemp("gateway"))
    yield await shared.start()
    shared.processes.stop()


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shared gateway."""
    async with gateway.http() as client:
        yield client


async def login(client: httpx.AsyncClient, username: str = "demo") -> dict[str, Any]:
    """The answer of a login that must succeed."""
    answer = await client.post("/auth/login", json={"username": username, "password": "password123"})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def bearer(token: str) -> dict[str, str]:
    """The Authorization header."""
    return {"Authorization": f"Bearer {token}"}
