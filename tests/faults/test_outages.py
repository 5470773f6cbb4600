"""Every dependency in every way of being away: wrong money never, 500 never, back within 60 s."""

import asyncio
import time
from typing import Any

import pytest

from tests.faults.conftest import SEED
from tests.support.faults.sizes import Sizes, rng
from tests.support.faults.system import Platform
from tests.support.faults.toxic import MODES

# Two at a time, one that holds money and one that does not; each of them in each way once.
PAIRS = (("postgres", "kafka"), ("bank", "redis"))


@pytest.mark.timeout(0)
async def test_outages_cost_time_and_never_money(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("outages", SEED)
    cells = [
        ((one, mode), (other, other_mode))
        for one, other in PAIRS
        for mode, other_mode in zip(MODES, dice.sample(MODES, len(MODES)), strict=True)
    ]
    dice.shuffle(cells)
    load = await system.load(dice)
    recoveries: dict[str, float] = {}
    for cell in cells:
        paying = asyncio.create_task(load.for_seconds(size.outage_seconds, size.rate))
        await asyncio.sleep(dice.uniform(0, size.outage_seconds / 3))
        for who, mode in cell:
            await system.proxies[who].set(mode)
        await asyncio.sleep(size.outage_seconds)
        for who, _ in cell:
            await system.proxies[who].set("pass")
        healed = time.monotonic()
        await asyncio.wait_for(load.one("off_us"), 60)
        await paying
        recoveries[" ".join(f"{who} {mode}" for who, mode in cell)] = round(time.monotonic() - healed, 1)
    report |= {"payments": len(load.outcomes), "recovery_s": recoveries}
    report |= {"statuses": dict(system.told.statuses)} | await system.zeros()
    assert max(recoveries.values()) < 60, recoveries
    await system.every_end_is_true(load.outcomes)
