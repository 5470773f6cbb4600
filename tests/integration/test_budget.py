"""The budget of the payment path, counted by the servers themselves."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from hack.bench.budget import measure
from hack.dev.catalog import Servers
from hack.dev.stack import Stack
from tests.integration.conftest import PORT_OFFSET


@pytest.fixture(scope="module")
def logging_stack(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second stack whose services log each request."""
    folder: Path = tmp_path_factory.mktemp("budget")
    stack = Stack(
        folder / "identity",
        Servers(servers.postgres, servers.redis, servers.kafka, f"{servers.database}_budget"),
        offset=PORT_OFFSET + 100,
        log_folder=folder / "logs",
        variables={"RATE_LIMIT_REQUESTS": "1000000", "LOG_LEVEL": "DEBUG"},
    )
    stack.prepare()
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
async def oracle(logging_stack: Stack) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A connection that reads the server's statistics."""
    async with asyncpg.create_pool(logging_stack.admin_dsn(), min_size=1, max_size=2) as pool:
        yield pool


async def test_a_warm_low_risk_confirmation_stays_in_its_budget(
    logging_stack: Stack, oracle: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    budget = await measure(logging_stack, oracle)
    assert set(budget.requests) == {"api-gateway", "confirm-service", "risk-service", "account-service"}
    assert sum(budget.requests.values()) <= 4.1, budget
    assert 2.9 <= sum(budget.statements.values()) <= 3.1, budget
    assert 0.9 <= sum(budget.redis_commands.values()) <= 1.1, budget
