"""Samples are taken at once and again, and say when; one that fails keeps what was known."""

import asyncio
import time

import pytest

from payments.common.consumer_lag import behind
from payments.common.metrics import REGISTRY
from payments.common.sampling import Sample, loops


def taken(name: str) -> float:
    value = REGISTRY.get_sample_value("payments_sample_timestamp_seconds", {"sample": name})
    assert value is not None
    return value


async def test_samples_go_on_and_a_failure_lets_the_time_stand() -> None:
    times: list[float] = []

    async def take() -> None:
        times.append(time.time())
        if len(times) > 2:
            raise ConnectionError("the database is away")

    (loop,) = loops([Sample("trial", take)], 0.01)
    async with loop:
        while len(times) < 4:
            await asyncio.sleep(0.01)
        stands = taken("trial")
    assert times[1] <= stands <= times[2]


async def test_a_sample_that_never_succeeds_grows_old_from_the_start() -> None:
    async def take() -> None:
        raise ConnectionError("the database is away")

    began = time.time()
    (loop,) = loops([Sample("never", take)], 0.01)
    async with loop:
        await asyncio.sleep(0.05)
    assert began <= taken("never") <= began + 0.04


@pytest.mark.parametrize(
    ("end", "begin", "committed", "lag"),
    [(10, 0, 10, 0), (10, 0, 4, 6), (10, 0, -1, 10), (10, 7, -1, 3), (10, 7, 4, 3), (3, 0, 5, 0)],
)
def test_lag_is_what_is_still_there_and_not_processed(end: int, begin: int, committed: int, lag: int) -> None:
    assert behind(end, begin, committed) == lag
