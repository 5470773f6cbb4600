"""PostgreSQL, Redis and Kafka are killed while customers pay: one at a time, then two at once."""

import asyncio
import random
import time

import pytest

from hack.kubectl import Cluster
from tests.chaos.conftest import Paying
from tests.e2e.conftest import Note
from tests.support import pods
from tests.support.chaos import platform
from tests.support.chaos.waiting import seconds_until
from tests.support.faults.proof import lost_events, proven
from tests.support.faults.sizes import rng
from tests.support.faults.world import World
from tests.support.upgrades import platform as declared

CONDITIONS = {"postgres": "PostgresReady", "redis": "RedisReady", "kafka": "KafkaReady"}
#: Behaviour 15: how soon a condition says that a dependency is away, and that it is back.
TOLD = 30.0


def kill(cluster: Cluster, names: list[str]) -> str:
    """Delete their pods at once; when the operator said so, and when all was back.

    One that is back within seconds may be back before the operator has looked.
    """
    uids = {}
    for name in names:
        (pod,) = pods.of(cluster, name)
        uids[name] = pod["metadata"]["uid"]
        pods.delete(cluster, pod)
    began = time.monotonic()
    said: dict[str, float] = {}
    back: dict[str, float] = {}
    cleared: dict[str, float] = {}

    def over() -> bool:
        found = declared(cluster)
        at = time.monotonic() - began
        for name in names:
            is_ready = _ready(cluster, name, uids[name])
            state = platform.state(found, CONDITIONS[name])
            if state == "False":
                said.setdefault(name, at)
            if is_ready:
                back.setdefault(name, at)
                if state == "True":
                    cleared.setdefault(name, at)
            else:
                assert name in said or at < TOLD, (
                    f"{name} is away, {CONDITIONS[name]} {state} after {at:.0f} s"
                )
        return len(cleared) == len(names)

    seconds_until(over, 240, f"{', '.join(names)} back")
    late = {name: cleared[name] - back[name] for name in names}
    assert max(late.values()) < TOLD, f"conditions True so many seconds after the pods: {late}"
    platform.ready(cluster)
    whole = time.monotonic() - began
    when = ", ".join(f"{name} told away after {at:.1f} s" for name, at in said.items())
    return f"{' and '.join(names)}: {when or 'back before it was told'}, Ready after {whole:.0f} s"


def _ready(cluster: Cluster, name: str, old: str) -> bool:
    return any(
        pod["metadata"]["uid"] != old and pod["status"]["containerStatuses"][0]["ready"]
        for pod in pods.of(cluster, name)
    )


def kill_all(cluster: Cluster, dice: random.Random, rounds: int) -> str:
    """Each one alone, then so many pairs."""
    singles = [[name] for name in dice.sample(sorted(CONDITIONS), len(CONDITIONS))]
    pairs = [dice.sample(sorted(CONDITIONS), 2) for _ in range(max(1, rounds // 4))]
    told = []
    for names in singles + pairs:
        told.append(kill(cluster, names))
        time.sleep(dice.uniform(2, 6))  # now and then before all has settled
    assert any("told away" in text for text in told), told
    return "; ".join(told)


@pytest.mark.timeout(1800)
async def test_dependencies_are_killed_one_and_two_at_once(
    cluster: Cluster, world: World, paying: Paying, number: int, rounds: int, note: Note
) -> None:
    async with paying() as load:
        told = await asyncio.to_thread(kill_all, cluster, rng("dependencies", number), rounds)
    proof = await proven(world, load)
    events, missing = await lost_events(cluster, world)
    assert not missing, missing
    note(f"seed {number}: {told}; {proof}; {events} events, none lost")
