"""The budget of the payment path, counted by the servers themselves."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from hack.bench.__main__ import budget_table
from hack.bench.budget import HIGH, LOW, OFF_US, SCENARIOS, Scenario, measure
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


@dataclass(frozen=True)
class Limits:
    """At most so many for each payment, and by these services."""

    requests: int
    statements: int
    redis_commands: int
    services: frozenset[str]


_PATH = frozenset({"api-gateway", "confirm-service", "risk-service", "account-service"})
# The first row is the product's promise; the others are what they cost today, so that growth shows.
LIMITS = {
    LOW.name: Limits(4, 3, 1, _PATH),
    # One more recovery point and a hold, so that the bank is never asked for what nobody noted. Two of the
    # database calls are the sandbox bank's own.
    OFF_US.name: Limits(6, 7, 1, _PATH | {"partner-bank-api"}),
    # two requests, each with its checks and its end; the password is made, sent and checked
    HIGH.name: Limits(11, 10, 2, _PATH | {"otp-service", "notification-service", "kyc-service"}),
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_warm_confirmation_stays_in_its_budget(
    logging_stack: Stack,
    oracle: "asyncpg.Pool[asyncpg.Record]",
    scenario: Scenario,
    record_property: Callable[[str, object], None],
) -> None:
    budget, limits = await measure(logging_stack, oracle, scenario), LIMITS[scenario.name]
    for line in budget_table(scenario.name, budget):
        sys.stdout.write(f"{line}\n")
    record_property("budget", str(budget))
    counts = (budget.requests, budget.statements, budget.redis_commands)
    found = [round(sum(each.values()), 2) for each in counts]
    asked = {name for name, share in budget.requests.items() if share > 0.1}  # less: a cache was renewed
    assert asked <= limits.services, budget
    allowed = (limits.requests, limits.statements, limits.redis_commands)
    assert all(count <= most + 0.1 for count, most in zip(found, allowed, strict=True)), (found, budget)
    assert found[0] >= 4 and found[1] >= 3 and found[2] >= 0.9, budget  # or nothing was counted
