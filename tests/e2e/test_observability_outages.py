"""Each part of what watches is killed while customers pay: they notice nothing, and nothing is missing.

FAULTS_SEED repeats a run.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import pytest

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.e2e.conftest import secret
from tests.e2e.test_observability import state
from tests.e2e.test_observability_payments import whole
from tests.support.faults import zeros
from tests.support.faults.load import Load, Outcome
from tests.support.faults.sizes import rng, seed
from tests.support.faults.world import World
from tests.support.observed.copies import missing_documents, missing_points
from tests.support.observed.jaeger import Jaeger
from tests.support.observed.prometheus import Prometheus

PARTS = ("otel-collector", "jaeger", "search", "influxdb")
#: Those that Prometheus scrapes.
SCRAPED = {"TargetDown otel-collector", "TargetDown jaeger", "TargetDown influxdb"}
ALERTS = ("TargetDown", "ObservabilityNotReady")
RATE = 10.0
#: Longest that the gateway works on a request; a whole payment of several requests has to be done in it.
DEADLINE = 30.0


@asynccontextmanager
async def paying(load: Load) -> AsyncIterator[list[Outcome]]:
    """Ten payments begin a second while the block lasts; all of them have ended after it."""
    outcomes: list[Outcome] = []
    over = asyncio.Event()

    async def one() -> None:
        outcomes.append(await load.one())

    async def begin() -> None:
        async with asyncio.TaskGroup() as tasks:
            while not over.is_set():
                tasks.create_task(one())
                await asyncio.sleep(load.rng.expovariate(RATE))

    beginning = asyncio.create_task(begin())
    try:
        yield outcomes
    finally:
        over.set()
        await beginning


@contextmanager
def no_room(cluster: Cluster) -> Iterator[None]:
    """No pod is placed on any node while the block lasts."""
    nodes = [node["metadata"]["name"] for node in cluster.get("nodes")["items"]]
    try:
        cluster.kubectl("cordon", *nodes)
        yield
    finally:
        cluster.kubectl("uncordon", *nodes)


def kill(cluster: Cluster, *parts: str) -> None:
    """Delete the pods of parts; their processes get no time to end."""
    command = ["-n", NAMESPACE, "delete", "pod", "--grace-period=0", "--force", "--wait=false"]
    cluster.kubectl(*command, "-l", f"app.kubernetes.io/name in ({','.join(parts)})")


async def until(check: Callable[[], Any], seconds: float, what: str) -> float:
    """Seconds until `check` holds. AssertionError after `seconds`."""
    began = time.monotonic()
    while not await asyncio.to_thread(check):
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s"
        await asyncio.sleep(0.25)
    return time.monotonic() - began


def told(what: str, outcomes: list[Outcome]) -> None:
    """How the payments of a phase went."""
    seconds = sorted(outcome.seconds for outcome in outcomes)
    middle, high = statistics.median(seconds), seconds[int(len(seconds) * 0.99)]
    sys.stdout.write(
        f"{what}: {len(outcomes)} payments, p50 {middle:.2f}, p99 {high:.2f}, longest {seconds[-1]:.2f} s\n"
    )


def not_ready(cluster: Cluster, *parts: str) -> bool:
    """Whether the condition names these parts; the platform is Ready all the same."""
    conditions = state(cluster)
    assert conditions["Ready"]["status"] == "True"
    watching = conditions["ObservabilityReady"]
    return watching["status"] == "False" and all(part in watching["message"] for part in parts)


def ready(cluster: Cluster) -> bool:
    return state(cluster)["ObservabilityReady"]["status"] == "True"


@pytest.mark.slow
@pytest.mark.timeout(0)
async def test_payments_do_not_notice_and_nothing_is_missing_afterwards(
    cluster: Cluster, world: World, prometheus: Prometheus, jaeger: Jaeger
) -> None:
    await until(lambda: ready(cluster), 180, "ObservabilityReady")
    number = seed()
    sys.stdout.write(f"seed={number}\n")
    load = await world.load(rng("observability", number))
    async with paying(load) as outcomes:
        await asyncio.sleep(15)
    told("all there", outcomes)
    for part in PARTS:
        async with paying(load) as outcomes:
            await asyncio.sleep(2)
            await asyncio.to_thread(kill, cluster, part)
            said = await until(partial(not_ready, cluster, part), 30, f"{part} is missed")
            back = await until(lambda: ready(cluster), 240, f"{part} is back")
            await asyncio.sleep(2)
        told(f"{part} killed, missed after {said:.1f} s, back after {back:.1f} s", outcomes)
    async with paying(load) as outcomes:
        with no_room(cluster):
            await asyncio.to_thread(kill, cluster, *PARTS)
            said = await until(lambda: not_ready(cluster, *PARTS), 60, "all parts are missed")
            wanted = SCRAPED | {"ObservabilityNotReady"}
            fired = await until(lambda: prometheus.alerts(*ALERTS) >= wanted, 300, f"{wanted} fire")
            for store in ("search", "influxdb"):
                behind = prometheus.query(f"max(payments_audit_{store}_backlog) > 0")
                assert behind.series, f"nothing waits for {store}"
        back = await until(lambda: ready(cluster), 300, "ObservabilityReady")
        cleared = await until(
            lambda: not prometheus.alerts(*ALERTS, firing=False), 180, "the alerts are cleared"
        )
    told(
        f"all away, missed after {said:.1f} s, alerts after {fired:.0f} s; back after {back:.0f} s,"
        f" alerts cleared {cleared:.0f} s later",
        outcomes,
    )
    began = time.time()
    async with paying(load) as last:
        await asyncio.sleep(5)
    sys.stdout.write(f"ends={dict(load.counts())} answers={dict(world.told.statuses)}\n")
    late = [outcome for outcome in load.outcomes if outcome.seconds > DEADLINE]
    assert not late, late
    assert {status for status in world.told.statuses if status >= 500 or status in (0, 202)} == set()
    await world.every_end_is_true(load.outcomes)
    await world.nothing_open()
    await world.everything_told()
    assert await world.violations({**zeros.MONEY, **zeros.EFFECTS}) == {}
    token = secret(cluster, "influxdb-credentials", "token")
    assert await missing_documents(cluster, world, seconds=60) == []
    assert await missing_points(cluster, world, token, seconds=60) == []
    ids = {outcome.payment_id for outcome in last}

    def traced() -> bool:
        traces = jaeger.of_payments(ids, began)
        return all(any(whole(trace, least=6) for trace in mine) for mine in traces.values())

    await until(traced, 40, "traces of what was paid afterwards")
    ((rows,),) = await world.sql("SELECT count(*) FROM audit.events")
    sys.stdout.write(f"{len(load.outcomes)} payments in all; {rows} entries of the trail are indexed\n")
