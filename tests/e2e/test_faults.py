"""Pods and processes of the running platform are killed at random while customers pay.

FAULTS_SEED repeats a run; `make soak` sets FAULTS_SIZE for a long one.
"""

import asyncio
import random
import sys
import time
from collections import Counter

import pytest

from hack.kubectl import Cluster, wait_ready
from hack.up import NAME, NAMESPACE
from tests.support.faults import zeros
from tests.support.faults.proof import TOLD_WITHIN, lost_events
from tests.support.faults.sizes import rng, seed, sizes
from tests.support.faults.world import World
from tests.support.pods import delete, name_of, running, sigkill


async def kill_at_random(cluster: Cluster, dice: random.Random, seconds: float) -> Counter[str]:
    """One workload after the other, each as often as the others; how often by which way."""
    kills: Counter[str] = Counter()
    order: list[str] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pods = {name_of(pod): pod for pod in await asyncio.to_thread(running, cluster)}
        if not order:
            order = sorted(pods)
            dice.shuffle(order)
        if (pod := pods.get(name := order.pop())) is None:
            continue
        if dice.random() < 0.5:
            kills[f"{name} pod"] += 1
            await asyncio.to_thread(delete, cluster, pod)
        else:
            # It may have gone, or may not have begun yet.
            kills[f"{name} process"] += await asyncio.to_thread(sigkill, pod)
        await asyncio.sleep(dice.uniform(0.5, 2.5))
    return kills


@pytest.mark.timeout(0)
async def test_kills_under_load_lose_and_double_nothing(cluster: Cluster, world: World) -> None:
    number, size = seed(), sizes()
    dice = rng("cluster", number)
    load = await world.load(dice)
    paying = asyncio.create_task(load.for_seconds(size.cluster_seconds, size.cluster_rate))
    kills = await kill_at_random(cluster, rng("pods", number), size.cluster_seconds)
    await asyncio.to_thread(wait_ready, cluster, NAMESPACE, NAME, 300, lambda _: None)
    healed = time.monotonic()
    await paying
    ended = time.monotonic() - healed
    sys.stdout.write(f"seed={number} kills={dict(kills)} ends={dict(load.counts())}\n")
    settled = await world.nothing_open()
    told = await world.everything_told(TOLD_WITHIN)
    found = await world.violations({**zeros.MONEY, **zeros.EFFECTS})
    events, missing = await lost_events(cluster, world)
    sys.stdout.write(
        f"clients_done_s={ended:.1f} nothing_open_s={settled:.1f} told_s={told:.1f} events={events}"
        f" statuses={dict(world.told.statuses)}\n"
    )
    assert any(count for way, count in kills.items() if way.endswith("process")), kills
    assert not found, found
    assert not missing, missing
    assert not world.told.undocumented, world.told.undocumented[:10]
    assert ended < 60, "the clients waited too long for their answers"
    await world.every_end_is_true(load.outcomes)
