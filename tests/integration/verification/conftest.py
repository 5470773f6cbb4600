"""Real payments on a stack and a Kafka of its own: other tests put events of nobody into theirs."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest

from hack.dev import containers
from hack.dev.catalog import Servers
from hack.dev.stack import Stack
from tests.integration.conftest import PORT_OFFSET
from tests.integration.verification.plants import Connection
from tests.integration.verification.world import SERVICES, World, make_payments

OFFSET = PORT_OFFSET + 300
PREFIX = f"payments-test-verification-{OFFSET}"


@pytest.fixture(scope="session")
async def world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The platform after its payments. SEED repeats a run's choices."""
    folder = tmp_path_factory.mktemp("verification")
    kafka = containers.start(PREFIX, offset=OFFSET, only=("kafka",)).kafka
    own = Servers(servers.postgres, servers.redis, kafka, f"{servers.database}_verify")
    stack = Stack(
        folder / "identity",
        own,
        offset=OFFSET,
        log_folder=folder / "logs",
        variables={"ANCHOR_SECONDS": "1"},
    )
    world = World(stack, int(os.environ.get("SEED") or secrets.randbelow(10**9)))
    try:
        stack.prepare()
        stack.start(SERVICES)
        await make_payments(world)
        stack.stop()
        yield world
    finally:
        stack.stop()
        containers.stop(PREFIX)


@pytest.fixture(scope="session")
def scratch(world: World) -> Iterator[Connection]:
    """A copy for damages that are rolled back."""
    with world.copy() as (_, connection):
        yield connection
