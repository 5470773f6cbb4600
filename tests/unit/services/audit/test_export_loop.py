import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from payments.audit.domain import Entry, Fact
from payments.audit.exports import loop
from payments.audit.exports.loop import Export, Figures, StoreError
from payments.audit.exports.positions import Position, Standing
from payments.audit.store import Store

FIGURES = Figures.of("testing", "copied", "a test")


def entry(seq: int) -> Entry:
    fact = Fact(f"e{seq}", None, None, "test", seq, "x", datetime(2026, 1, 31, tzinfo=UTC), "{}")
    return Entry(seq, fact, "", "")


class World:
    """A trail of `head` entries, its position and a target, in memory; notes what is done."""

    def __init__(self, head: int, seq: int = 0) -> None:
        self.head, self.seq = head, seq
        self.taken = True
        self.is_lost = self.down = False
        self.done: list[Any] = []

    async def standing(self) -> Standing:
        return Standing(self.seq, self.head)

    async def take(self) -> int | None:
        return self.seq if self.taken else None

    async def move(self, seq: int) -> bool:
        self.done.append(("move", seq))
        self.seq = seq
        return True

    async def search(self, *, after: int, limit: int, **_: Any) -> list[Entry]:
        return [entry(seq) for seq in range(after + 1, min(self.head, after + limit) + 1)]

    async def lost(self) -> bool:
        if self.down:
            raise StoreError("away")
        lost, self.is_lost = self.is_lost, False
        return lost

    async def prepare(self) -> None:
        self.done.append("prepare")

    async def put(self, entries: Sequence[Entry]) -> int:
        self.done += [each.seq for each in entries]
        return len(entries)

    def export(self) -> Export:
        return Export("test", cast(Store, self), cast(Position, self), self, FIGURES)


async def step(export: Export) -> float:
    return await export._step()


async def test_entries_are_copied_in_order_and_then_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "BATCH", 2)
    world = World(head=5, seq=2)
    export = world.export()
    assert [await step(export) for _ in range(3)] == [0, 0, loop.IDLE_SECONDS]
    assert world.done == ["prepare", 3, 4, ("move", 4), "prepare", 5, ("move", 5)]
    assert FIGURES.backlog._value.get() == 0


async def test_a_target_that_lost_everything_is_filled_from_the_start() -> None:
    world = World(head=3, seq=3)
    world.is_lost = True
    export = world.export()
    assert await step(export) == 0
    # Noted before the target looks as if nothing had happened.
    assert world.done == [("move", 0), "prepare", 1, 2, 3, ("move", 3)]


async def test_whoever_does_not_hold_the_lease_does_nothing() -> None:
    world = World(head=3)
    world.taken = False
    assert await step(world.export()) == loop.IDLE_SECONDS
    assert world.done == []
    assert FIGURES.backlog._value.get() == 3


async def test_a_failure_moves_nothing_and_is_told() -> None:
    world = World(head=3)
    world.down = True
    export = world.export()
    age = next(iter(FIGURES.error_age.collect())).samples[0].value
    assert math.isnan(age)
    with pytest.raises(StoreError):
        await step(export)
    assert world.done == [] and world.seq == 0
    age = next(iter(FIGURES.error_age.collect())).samples[0].value
    assert 0 <= age < 60
    world.down = False
    assert await step(export) == 0
    assert world.seq == 3
