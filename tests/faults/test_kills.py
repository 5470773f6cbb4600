"""Everything is killed at random while customers pay: services, PostgreSQL, Redis and Kafka."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from hack.dev import containers
from tests.faults.conftest import SEED
from tests.support.faults.sizes import Sizes, rng
from tests.support.faults.system import DEPENDENCIES, Platform


async def kill_services(system: Platform, dice: random.Random, end: float, kills: Counter[str]) -> None:
    """One after the other in a random order; each comes back."""
    for name in shuffled(list(system.stack.services), dice):
        if time.monotonic() > end:
            return
        kills[name] += 1
        await system.kill(name)
        await asyncio.sleep(dice.uniform(0.0, 1.0))
        system.stack.start_one(name)
        await asyncio.sleep(dice.uniform(0.2, 1.5))


async def kill_dependencies(system: Platform, dice: random.Random, end: float, kills: Counter[str]) -> None:
    """One after the other in a random order; each comes back before the next one goes."""
    for name in shuffled(list(DEPENDENCIES), dice):
        if time.monotonic() > end:
            return
        kills[name] += 1
        await asyncio.to_thread(containers.kill, system.prefix, name)
        await asyncio.sleep(dice.uniform(0.0, 2.0))
        await asyncio.to_thread(containers.restart, system.prefix, name, offset=system.offset)
        await asyncio.sleep(dice.uniform(0.5, 2.0))


def shuffled(names: list[str], dice: random.Random) -> Iterator[str]:
    """All of them in a random order, again and again: each as often as the others."""
    while True:
        dice.shuffle(names)
        yield from names


@pytest.mark.timeout(0)
async def test_kills_under_load_lose_and_double_nothing(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("kills", SEED)
    load = await system.load(dice)
    paying = asyncio.create_task(load.for_seconds(size.kill_seconds, size.rate))
    kills: Counter[str] = Counter()
    end = time.monotonic() + size.kill_seconds
    # Dice of their own, for who comes first is not theirs to say.
    await asyncio.gather(
        kill_services(system, rng("services", SEED), end, kills),
        kill_dependencies(system, rng("dependencies", SEED), end, kills),
    )
    await system.heal()
    healed = time.monotonic()
    await paying
    ended = time.monotonic() - healed
    zeros = await system.zeros()
    report |= {"kills": dict(kills), "ends": dict(load.counts()), "clients_done_s": round(ended, 1)}
    report |= {"statuses": dict(system.told.statuses)} | zeros
    assert ended < 60, "the clients waited too long for their answers"
    await system.every_end_is_true(load.outcomes)
