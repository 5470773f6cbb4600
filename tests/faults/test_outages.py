"""Every dependency in every way of being away: wrong money never, 500 never, back within 60 s."""

import asyncio
import time
from typing import Any

import pytest

from tests.faults.conftest import SEED
from tests.support.faults.sizes import Sizes, rng
from tests.support.faults.system import Platform
from tests.support.faults.toxic import MODES

WHO = ("postgres", "redis", "kafka", "bank")


@pytest.mark.timeout(0)
async def test_outages_cost_time_and_never_money(
    system: Platform, size: Sizes, report: dict[str, Any]
) -> None:
    dice = rng("outages", SEED)
    cells = [(who, mode) for who in WHO for mode in MODES]
    dice.shuffle(cells)
    recoveries: dict[str, float] = {}
    everything = []
    for who, mode in cells:
        load = await system.load(dice, customers=4)
        proxy = system.proxies[who]
        paying = asyncio.create_task(load.for_seconds(size.outage_seconds, size.rate))
        await asyncio.sleep(dice.uniform(0, size.outage_seconds / 3))
        await proxy.set(mode)
        await asyncio.sleep(size.outage_seconds)
        await proxy.set("pass")
        healed = time.monotonic()
        await asyncio.wait_for(load.one("off_us"), 60)
        await paying
        recoveries[f"{who} {mode}"] = round(time.monotonic() - healed, 1)
        everything += load.outcomes
    report |= {"payments": len(everything), "recovery_s": recoveries, "statuses": dict(system.told.statuses)}
    report |= await system.zeros()
    assert max(recoveries.values()) < 60, recoveries
    await system.every_end_is_true(everything)
