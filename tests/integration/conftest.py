"""Real servers for the integration tests: PostgreSQL, Redis and Kafka as containers, services as processes.

TEST_POSTGRES, TEST_REDIS and TEST_KAFKA (host:port) name servers that already run; without them containers of
the image catalog are started and removed again. Each session has a database of its own. TEST_PORT_OFFSET
moves the ports of a second session beside the first.

`pytest -n 3` runs three sessions side by side (pytest-xdist); each has all of the above for itself, and what
stands in one folder goes to the same one, for its tests share a stack.
"""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

from hack.dev import containers
from hack.dev.catalog import Servers
from hack.dev.identity import Identity
from hack.dev.stack import Stack

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORT_OFFSET = int(os.environ.get("TEST_PORT_OFFSET", "1000")) + 500 * WORKER
PREFIX = f"payments-test-{PORT_OFFSET}"


# Begun first, so that no worker is left alone with a long one at the end.
LONGEST = (
    "confirm",
    "gateway",
    "verification",
    "audit_search",
    "api",
    "common",
    "tracing",
    "ofac",
    "audit",
    "webhooks",
    "account",
    "load_balancer",
)


def _folder(nodeid: str) -> str:
    """Its tests share a stack."""
    return nodeid.removeprefix("tests/integration/").partition("::")[0].partition("/")[0]


class Folders(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of a folder go to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return _folder(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Folders:
    """By folder, whatever --dist says: the marks of loadgroup are lost on pytest 9.2."""
    return Folders(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest folders come first."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_folder(item.nodeid), len(order)))


def _address(variable: str, default: tuple[str, int]) -> tuple[str, int]:
    value = os.environ.get(variable)
    if not value:
        return default
    host, _, port = value.rpartition(":")
    return host, int(port)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Addresses of PostgreSQL, Redis and Kafka, with a fresh database name."""
    given = {name for name in ("postgres", "redis", "kafka") if os.environ.get(f"TEST_{name.upper()}")}
    missing = tuple(name for name in ("postgres", "redis", "kafka") if name not in given)
    started = containers.start(PREFIX, offset=PORT_OFFSET, only=missing)
    yield Servers(
        postgres=_address("TEST_POSTGRES", started.postgres),
        redis=_address("TEST_REDIS", started.redis),
        kafka=_address("TEST_KAFKA", started.kafka),
        database=f"test_{secrets.token_hex(4)}",
    )
    if missing:
        containers.stop(PREFIX)


@pytest.fixture(scope="session")
def stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A migrated, seeded system; services are started by the fixtures and tests that need them."""
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack(
        folder / "identity",
        servers,
        offset=PORT_OFFSET,
        log_folder=folder / "logs",
        variables={"RATE_LIMIT_REQUESTS": "1000000"},
    )
    stack.prepare()
    yield stack
    stack.stop()
    with psycopg.connect(stack.admin_dsn("postgres"), autocommit=True) as connection:
        name = psycopg.sql.Identifier(servers.database)
        connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


@pytest.fixture(scope="session")
def identity(stack: Stack) -> Identity:
    """Tokens of services and actors that the stack's services accept."""
    return stack.identity


@pytest.fixture(scope="session")
def log_folder(stack: Stack) -> Path:
    """Where each service's output goes, one file a service."""
    folder = stack.processes.log_folder
    assert folder is not None
    return folder


@pytest.fixture(scope="session")
async def database(stack: Stack) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """The oracle's own connection, as superuser."""
    async with asyncpg.create_pool(stack.admin_dsn(), min_size=1, max_size=10) as pool:
        yield pool


@pytest.fixture(scope="session")
def running(stack: Stack) -> Stack:
    """The stack with all ten services running."""
    stack.start(name for name in stack.services if name not in stack.processes.names())
    return stack


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A plain HTTP client; use absolute URLs from `stack.url(service)`."""
    async with httpx.AsyncClient(timeout=30) as client:
        yield client
