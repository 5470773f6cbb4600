"""The queue: one further run for whatever happens to a key, backoff by key, nothing lost."""

import asyncio
from collections.abc import Callable

import pytest

from payment_operator.errors import ApiError
from payment_operator.workqueue import BACKOFF_LIMIT, Schedule, WorkQueue


def steady() -> float:
    """Jitter in the middle: factor 1."""
    return 0.5


def test_many_additions_are_one_run() -> None:
    schedule = Schedule(steady)
    for _ in range(100):
        schedule.add("a", 0.0)
    assert schedule.pop(0.0) == "a"
    schedule.done("a", 0.0)
    assert schedule.pop(1000.0) is None


def test_an_addition_while_running_is_one_further_run_and_never_at_the_same_time() -> None:
    schedule = Schedule(steady)
    schedule.add("a", 0.0)
    assert schedule.pop(0.0) == "a"
    schedule.add("a", 0.0)
    schedule.add("a", 0.0)
    assert schedule.pop(1.0) is None
    assert schedule.next_due() is None
    schedule.done("a", 1.0)
    assert schedule.pop(1.0) == "a"
    schedule.done("a", 1.0)
    assert schedule.pop(1.0) is None


def test_the_earlier_date_wins_whichever_comes_first() -> None:
    schedule = Schedule(steady)
    schedule.add("a", 50.0)
    schedule.add("a", 10.0)
    schedule.add("a", 90.0)
    assert schedule.next_due() == 10.0
    assert schedule.pop(9.9) is None
    assert schedule.pop(10.0) == "a"
    schedule.done("a", 10.0)
    assert schedule.pop(100.0) is None


def test_a_running_key_holds_up_no_other() -> None:
    schedule = Schedule(steady)
    schedule.add("a", 0.0)
    schedule.pop(0.0)
    schedule.add("a", 0.0)
    schedule.add("b", 0.5)
    assert schedule.pop(1.0) == "b"


def test_backoff_doubles_by_key_up_to_the_limit_and_is_forgotten_after_a_success() -> None:
    schedule = Schedule(steady)
    now, delays = 0.0, []
    for _ in range(9):
        schedule.add("a", now)
        assert schedule.pop(now) == "a"
        delay = schedule.done("a", now, failed=True)
        assert delay is not None
        delays.append(delay)
        now += delay
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, *[BACKOFF_LIMIT] * 4]
    assert schedule.pop(now) == "a"
    assert schedule.done("a", now) is None
    schedule.add("a", now)
    schedule.pop(now)
    assert schedule.done("a", now, failed=True) == 1.0


@pytest.mark.parametrize(("jitter", "delay"), [(0.0, 0.75), (1.0, 1.25)])
def test_backoff_is_spread(jitter: float, delay: float) -> None:
    schedule = Schedule(lambda: jitter)
    schedule.add("a", 0.0)
    schedule.pop(0.0)
    assert schedule.done("a", 0.0, failed=True) == delay


def test_overdue_counts_what_waits_behind_a_hanging_run() -> None:
    schedule = Schedule(steady)
    schedule.add("a", 0.0)
    schedule.pop(0.0)
    schedule.add("a", 5.0)
    assert schedule.overdue(105.0) == 100.0
    assert schedule.waiting(105.0) == 0


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def until(condition: Callable[[], bool]) -> None:
    """Give the workers turns until it holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


async def test_workers_run_what_is_added_and_what_a_run_asks_for() -> None:
    clock, runs = Clock(), []

    async def run(key: str) -> float | None:
        runs.append(key)
        return 7.0 if len(runs) == 1 else None

    queue = WorkQueue(run, workers=2, clock=clock, schedule=Schedule(steady))
    queue.start()
    queue.add("a")
    await until(lambda: runs == ["a"])
    clock.now = 7.0
    queue.add("b")
    await until(lambda: sorted(runs) == ["a", "a", "b"])
    await queue.stop()


@pytest.mark.parametrize("error", [ApiError(500, "boom"), RuntimeError("bug")])
async def test_a_failing_run_ends_no_worker_and_comes_again(error: Exception) -> None:
    clock, runs = Clock(), []

    async def run(key: str) -> float | None:
        runs.append(key)
        if len(runs) == 1:
            raise error
        return None

    queue = WorkQueue(run, workers=1, clock=clock, schedule=Schedule(steady))
    queue.start()
    queue.add("a")
    await until(lambda: len(runs) == 1)
    clock.now = 1.0
    queue.add("b")
    await until(lambda: sorted(runs) == ["a", "a", "b"])
    assert queue.stalled(300.0) is None
    await queue.stop()


async def test_a_hanging_worker_is_a_stall() -> None:
    clock, entered = Clock(), asyncio.Event()

    async def run(_: str) -> float | None:
        entered.set()
        await asyncio.Event().wait()
        return None

    queue = WorkQueue(run, workers=1, clock=clock)
    queue.start()
    queue.add("a")
    await entered.wait()
    queue.add("b")
    clock.now = 301.0
    assert "overdue" in str(queue.stalled(300.0))
    await queue.stop()
    assert "workers ended" in str(queue.stalled(300.0))
