"""A coalescing keyed queue: whatever happens to a key while it waits or runs is one further run.

``Schedule`` is the pure part (times are given), ``WorkQueue`` waits and runs.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections.abc import Awaitable, Callable

from payment_operator import metrics
from payment_operator.errors import OperatorError

logger = logging.getLogger(__name__)

BACKOFF_FIRST = 1.0
#: With its jitter (a quarter) and one reconcile below the minute that a platform may be late after an outage.
BACKOFF_LIMIT = 30.0


class Schedule:
    """Which key is due when. A key is at most once in it, and never handed out twice at a time."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._running: set[str] = set()
        self._failures: dict[str, int] = {}
        self._jitter = jitter

    def add(self, key: str, due: float) -> None:
        """Due at ``due`` at the latest; an earlier date stays."""
        present = self._due.get(key)
        if present is None or due < present:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))

    def pop(self, now: float) -> str | None:
        """A due key that is not running; it counts as running until ``done``."""
        held: list[tuple[float, str]] = []
        found = None
        while self._heap and self._heap[0][0] <= now and found is None:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) != due:
                continue
            if key in self._running:
                held.append((due, key))
                continue
            del self._due[key]
            self._running.add(key)
            found = key
        for entry in held:
            heapq.heappush(self._heap, entry)
        return found

    def done(self, key: str, now: float, *, failed: bool = False) -> float | None:
        """Ends a run. After a failure the key is due again after its backoff, which is returned."""
        self._running.discard(key)
        if not failed:
            self._failures.pop(key, None)
            return None
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = float(
            min(BACKOFF_FIRST * 2.0 ** min(failures, 16), BACKOFF_LIMIT) * (0.75 + self._jitter() / 2)
        )
        self.add(key, now + delay)
        return delay

    def next_due(self) -> float | None:
        """When the next key that is not running becomes due."""
        times = [due for key, due in self._due.items() if key not in self._running]
        return min(times, default=None)

    def waiting(self, now: float) -> int:
        """How many keys are due and not running."""
        return sum(due <= now and key not in self._running for key, due in self._due.items())

    def overdue(self, now: float) -> float:
        """Seconds since the oldest due key should have run (running ones included)."""
        return max((now - due for due in self._due.values()), default=0.0)


class WorkQueue:
    """Workers over a schedule. ``run(key)`` returns after how many seconds to look again, or None."""

    def __init__(
        self,
        run: Callable[[str], Awaitable[float | None]],
        *,
        workers: int,
        clock: Callable[[], float],
        schedule: Schedule | None = None,
    ) -> None:
        self._run = run
        self._workers = workers
        self._clock = clock
        self._schedule = schedule or Schedule()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, key: str, after: float = 0.0) -> None:
        """Run ``key`` after so many seconds, or sooner when asked for sooner."""
        self._schedule.add(key, self._clock() + after)
        self._changed.set()

    def start(self) -> None:
        """Start the workers; needs a running loop."""
        self._tasks = [asyncio.create_task(self._work(), name=f"worker-{n}") for n in range(self._workers)]

    async def stop(self) -> None:
        """Cancel the workers and wait for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stalled(self, limit: float) -> str | None:
        """What is wrong, or None: a dead worker, or a key overdue by more than ``limit`` seconds."""
        dead = [task.get_name() for task in self._tasks if task.done()]
        if dead:
            return f"workers ended: {', '.join(dead)}"
        overdue = self._schedule.overdue(self._clock())
        return f"the oldest key is {overdue:.0f} s overdue" if overdue > limit else None

    async def _work(self) -> None:
        while True:
            key = self._schedule.pop(self._clock())
            metrics.QUEUE_DEPTH.set(self._schedule.waiting(self._clock()))
            if key is None:
                await self._wait()
                continue
            failed, again = False, None
            try:
                again = await self._run(key)
            except OperatorError as error:
                failed = True
                logger.warning("reconcile of %s failed: %s", key, error)
            except Exception:
                failed = True
                logger.exception("reconcile of %s failed", key)
            finally:
                delay = self._schedule.done(key, self._clock(), failed=failed)
                self._changed.set()
            if delay is not None:
                logger.warning("reconcile of %s again in %.1f s", key, delay)
            if again is not None:
                self.add(key, again)

    async def _wait(self) -> None:
        due = self._schedule.next_due()
        timeout = None if due is None else max(0.0, due - self._clock())
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return
