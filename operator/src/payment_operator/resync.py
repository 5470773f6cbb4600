"""The full pass: every platform is looked at at the start and then about every ``interval`` seconds."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from payment_operator import metrics
from payment_operator.errors import OperatorError
from payment_operator.workqueue import WorkQueue

logger = logging.getLogger(__name__)
#: Seconds until the next try of a pass that got no answer.
RETRY = 10.0


class Resync:
    """Queues the namespaces of all platforms; ``find`` lists them."""

    def __init__(
        self,
        queue: WorkQueue,
        find: Callable[[], Awaitable[Sequence[str]]],
        *,
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._find = find
        self._interval = interval
        self._clock = clock
        self._last = clock()

    async def run(self) -> None:
        """Forever. An API server that does not answer is asked again soon; all is looked at as it is back."""
        spread = 0.0
        while True:
            try:
                namespaces = await self._find()
                metrics.PLATFORMS.set(len(namespaces))
                metrics.LAST_RESYNC.set(time.time())
                for namespace in set(namespaces):
                    self._queue.add(namespace, random.uniform(0, spread))
                spread, pause = self._interval / 3, self._interval
            except OperatorError as error:
                spread, pause = 0.0, min(RETRY, self._interval)
                logger.warning("full pass failed, again in %.0f s: %s", pause, error)
            self._last = self._clock()
            await asyncio.sleep(pause)

    def stalled(self) -> str | None:
        """What is wrong, or None: no pass was even tried for three intervals."""
        age = self._clock() - self._last
        return f"no full pass for {age:.0f} s" if age > 3 * self._interval else None
