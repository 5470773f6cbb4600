"""Three times the load on a service that cannot keep up: more pods, and the floor of before afterwards.

Ending pods again is the autoscaler's own work; it takes a metrics-server, which kind has none of.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.chaos.conftest import Paying
from tests.e2e.conftest import Note
from tests.support.chaos import platform
from tests.support.chaos.waiting import seconds_until
from tests.support.faults.proof import proven
from tests.support.faults.world import World
from tests.support.upgrades import patch

FLOOR, CEILING, EACH = 2, 3, 25
#: So long the usual load waits; less than FLOOR pods are to have each at one payment a second.
USUAL_SECONDS = 40.0
#: Behaviour 19.
OUT_WITHIN = 120.0
FLOOR_WITHIN = 120.0
TABLE = "notification.deliveries"


@pytest.fixture
def scaling(cluster: Cluster) -> Iterator[None]:
    """The service scales by what waits; a floor goes down a step in 10 s, not 60."""
    scaled = {"enabled": True, "minReplicas": FLOOR, "maxReplicas": CEILING, "waitingPerReplica": EACH}
    platform.operator_settings(cluster, {"PAYMENT_OPERATOR_SCALE_IN_SECONDS": 10})
    patch(cluster, {"spec": {"services": {platform.SCALED: {"autoscaling": scaled}}}})
    try:
        seconds_until(lambda: floor(cluster) == FLOOR, 60, "an autoscaler")
        platform.ready(cluster)
        yield
    finally:
        patch(cluster, {"spec": {"services": {platform.SCALED: {"autoscaling": None}}}})
        platform.operator_settings(cluster, {"PAYMENT_OPERATOR_SCALE_IN_SECONDS": None})


def floor(cluster: Cluster) -> int:
    """The autoscaler's; 0 while there is none."""
    chosen = f"--field-selector=metadata.name={platform.SCALED}"
    items = cluster.get("-n", NAMESPACE, "horizontalpodautoscalers", chosen)["items"]
    return int(items[0]["spec"]["minReplicas"]) if items else 0


def serving(cluster: Cluster) -> int:
    """Ready pods of the service."""
    return int(platform.deployments(cluster)[platform.SCALED]["status"].get("readyReplicas", 0))


@asynccontextmanager
async def blocked(world: World) -> AsyncIterator[None]:
    """Messages wait in the block: somebody holds the table that each goes through."""
    holder = await asyncpg.connect(world.dsn, timeout=10)
    try:
        async with holder.transaction():
            await holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            await holder.execute(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE")
            yield
    finally:
        await holder.close()


def stays(cluster: Cluster, seconds: float) -> None:
    """The floor stays where it is declared."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert floor(cluster) == FLOOR, "the usual load has lifted the floor"
        time.sleep(1)


def scaled_out(cluster: Cluster) -> float:
    """Seconds until as many pods as may be are ready."""
    return seconds_until(lambda: serving(cluster) == CEILING, OUT_WITHIN, f"{CEILING} pods")


@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("scaling")
async def test_19_three_times_the_load_scales_out_and_back(
    cluster: Cluster, world: World, paying: Paying, note: Note
) -> None:
    async with paying(kind="on_us") as usual, blocked(world):
        await asyncio.to_thread(stays, cluster, USUAL_SECONDS)
    proof = await proven(world, usual)
    async with paying(3, kind="on_us") as load:
        async with blocked(world):
            out = await asyncio.to_thread(scaled_out, cluster)
    proof = await proven(world, load)
    down = await asyncio.to_thread(
        seconds_until, lambda: floor(cluster) == FLOOR, FLOOR_WITHIN, "the declared floor"
    )
    note(
        f"{platform.SCALED}: the usual load leaves {FLOOR} pods, three times of it has {CEILING} ready after "
        f"{out:.0f} s; all told, the floor is {FLOOR} again after {down:.0f} s; {proof}"
    )
