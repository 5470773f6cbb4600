"""A loop outlives whatever a step comes to; only closing ends it."""

import asyncio

import pytest

from payments.common.background import Loop


@pytest.mark.parametrize("failure", [OSError("away"), asyncio.CancelledError()])
async def test_a_loop_outlives_its_steps(failure: BaseException) -> None:
    steps = 0
    again = asyncio.Event()

    async def step() -> float:
        nonlocal steps
        steps += 1
        if steps == 1:
            raise failure
        again.set()
        return 60

    async with Loop("test", step):
        await asyncio.wait_for(again.wait(), 2)
    assert steps == 2


async def test_closing_ends_a_step() -> None:
    begun = asyncio.Event()
    ended: list[BaseException] = []

    async def step() -> float:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            ended.append(error)
            raise
        return 0

    async with Loop("test", step):
        await asyncio.wait_for(begun.wait(), 2)
    assert len(ended) == 1
