"""Services that hang: one whose process stands still, one that answers its probes and does nothing."""

import asyncio
import random
import time
from collections.abc import Iterator

import asyncpg
import pytest

from hack.kubectl import Cluster, condition
from payment_operator.wedged import RESTARTS_ANNOTATION
from tests.chaos.conftest import Paying
from tests.e2e.conftest import Note
from tests.support import pods
from tests.support.chaos import platform
from tests.support.chaos.endpoints import Endpoints
from tests.support.chaos.waiting import seconds_until
from tests.support.faults.proof import proven
from tests.support.faults.sizes import rng
from tests.support.faults.world import World
from tests.support.upgrades import platform as declared

#: On the way of each payment, with a database or without.
STOPPED = ("account-service", "confirm-service", "risk-service")
#: Readiness: two times 5 s and a timeout; liveness: six times 10 s, then 30 s of grace; and a busy machine.
UNREADY_WITHIN, RESTARTED_WITHIN = 30.0, 180.0
#: Audits in vain while somebody holds its table.
HANGS, TABLE = "audit-service", "audit.events"
#: Three minutes without progress, then what Prometheus and operator take to look.
NOTICED_WITHIN = 420.0
PER_HOUR = 3


def stopped(cluster: Cluster, dice: random.Random, endpoints: Endpoints) -> str:
    """SIGSTOP of one of two pods' processes; what Kubernetes makes of it."""
    name = dice.choice(STOPPED)
    pod = dice.choice(pods.of(cluster, name))
    before = platform.restarts(cluster)
    assert pods.signalled(pod, "STOP"), "the process could not be stopped"
    out = seconds_until(
        lambda: endpoints.now[name] == 1, UNREADY_WITHIN, f"a stopped {name} out of its Service"
    )
    mine = pod["metadata"]["name"]
    again = seconds_until(
        lambda: platform.restarts(cluster)[mine] > before[mine], RESTARTED_WITHIN, f"{mine} started again"
    )
    platform.ready(cluster)
    seconds_until(lambda: endpoints.now[name] == 2, 60, f"two of {name}")
    after = platform.restarts(cluster)
    grown = {pod: after[pod] - count for pod, count in before.items() if after.get(pod, count) != count}
    assert grown == {mine: 1}, f"restarts: {grown}"
    assert min(endpoints.least[item] for item in platform.services(cluster)) >= 1
    assert RESTARTS_ANNOTATION not in platform.deployments(cluster)[name]["metadata"].get("annotations", {})
    return (
        f"{name} stopped: out of its Service after {out:.0f} s, started again by the kubelet after "
        f"{out + again:.0f} s, once and nothing else"
    )


@pytest.mark.timeout(900)
async def test_18_a_stopped_process_is_started_again(
    cluster: Cluster, world: World, paying: Paying, number: int, note: Note
) -> None:
    async with paying() as load:
        with Endpoints(cluster) as endpoints:
            told = await asyncio.to_thread(stopped, cluster, rng("stopped", number), endpoints)
    note(f"{told}; {await proven(world, load)}")


@pytest.fixture
def soon(cluster: Cluster) -> Iterator[None]:
    """An operator that gives what came back 20 s, not 300, before it judges."""
    platform.operator_settings(cluster, {"PAYMENT_OPERATOR_SETTLE_SECONDS": 20})
    try:
        yield
    finally:
        platform.operator_settings(cluster, {"PAYMENT_OPERATOR_SETTLE_SECONDS": None})


def noticed(cluster: Cluster) -> str:
    """Wait until the operator has restarted the consumer; probes are green all the time."""
    before = platform.restarts(cluster)
    began = time.monotonic()

    def restarts() -> list[str]:
        found = platform.deployments(cluster)[HANGS]["metadata"].get("annotations", {})
        return [item for item in found.get(RESTARTS_ANNOTATION, "").split(",") if item]

    earlier = len(restarts())

    def restarted() -> bool:
        ready = platform.deployments(cluster)[HANGS]["status"].get("readyReplicas", 0)
        assert ready >= 2, "the probes were not green"
        return len(restarts()) > earlier

    seconds_until(restarted, NOTICED_WITHIN, f"{HANGS} restarted by the operator", pause=2)
    took = time.monotonic() - began
    assert len(restarts()) <= PER_HOUR
    after = platform.restarts(cluster)
    assert {pod for pod, count in before.items() if after.get(pod, count) != count} == set()
    return f"{HANGS} does nothing behind green probes: restarted by the operator after {took:.0f} s"


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("soon")
async def test_18_a_consumer_that_hangs_is_restarted_by_the_operator(
    cluster: Cluster, world: World, paying: Paying, note: Note
) -> None:
    others = {name: count for name, count in platform.generations(cluster).items() if name != HANGS}
    async with paying() as load:
        holder = await asyncpg.connect(world.dsn, timeout=10)
        try:
            async with holder.transaction():
                await holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                await holder.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
                told = await asyncio.to_thread(noticed, cluster)
        finally:
            await holder.close()
        await asyncio.to_thread(platform.ready, cluster)
    proof = await proven(world, load)
    assert condition(declared(cluster), "Degraded")["status"] == "False"
    after = platform.generations(cluster)
    assert {name: after[name] for name in others} == others, "others were restarted, too"
    note(f"{told}, nothing else; {proof}")
