"""The cluster of `make chaos`, which must have nodes to lose. Each experiment leaves it as it was.

Fixtures of tests/e2e; a failing experiment leaves events, logs and status in build/e2e/<test>.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from hack.kubectl import Cluster
from hack.progress import say
from tests.e2e import conftest as e2e
from tests.support.chaos import platform
from tests.support.chaos.faults import lift
from tests.support.faults.load import Load
from tests.support.faults.sizes import rng, seed
from tests.support.faults.world import World

cluster, url, world, note = e2e.cluster, e2e.url, e2e.world, e2e.note
pytest_runtest_makereport = e2e.pytest_runtest_makereport
Paying = Callable[..., AbstractAsyncContextManager[Load]]


@pytest.fixture(scope="session")
def number() -> int:
    """The seed of all choices."""
    chosen = seed()
    say(f"seed {chosen}")
    return chosen


@pytest.fixture(scope="session")
def rounds() -> int:
    """Kills of each kind."""
    return int(os.environ.get("CHAOS_ROUNDS", "4"))


@pytest.fixture(scope="session")
def rate() -> float:
    """Payments a second."""
    return float(os.environ.get("CHAOS_RATE", "1"))


@pytest.fixture(scope="session", autouse=True)
def fit(cluster: Cluster) -> None:
    """Fails on a cluster where these experiments would prove nothing."""
    found = platform.workers(cluster)
    live = platform.deployments(cluster)
    single = [name for name in platform.services(cluster) if live[name]["spec"]["replicas"] < 2]
    if len(found) < 2 or single:
        pytest.fail(f"two workers and two pods of each service are needed, not {found}, {single}: make chaos")


@pytest.fixture(autouse=True)
def as_before(cluster: Cluster) -> Iterator[None]:
    """Nothing is left of an interrupted experiment, and nothing will be of this one."""
    restore(cluster)
    try:
        yield
    finally:
        restore(cluster)


def restore(cluster: Cluster) -> None:
    """Lift all faults, take back what was declared, wait until all is well."""
    lift(cluster)
    platform.undeclare(cluster)
    platform.usual_operator(cluster)
    platform.ready(cluster)


@pytest.fixture
async def paying(
    world: World, number: int, rate: float, request: pytest.FixtureRequest
) -> AsyncIterator[Paying]:
    """Customers who pay during a block: `async with paying() as load`."""

    @asynccontextmanager
    async def pay(times: float = 1, kind: str | None = None) -> AsyncIterator[Load]:
        load = await world.load(rng(request.node.name, number))
        stop = asyncio.Event()
        task = asyncio.create_task(load.until(stop, rate * times, kind))
        try:
            yield load
        finally:
            stop.set()
            await task

    yield pay
