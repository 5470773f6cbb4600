"""Loops that live as long as the service: relays, consumers, janitors, pollers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Self

log = logging.getLogger(__name__)


class Loop:
    """Calls `step` again and again until closed.

    `step` returns the seconds to wait before the next call (0 for at once). When it raises, the loop logs
    and waits with exponential backoff up to `max_backoff` seconds. `wake()` ends a wait early.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[float]], *, max_backoff: float = 5.0) -> None:
        self._name = name
        self._step = step
        self._max_backoff = max_backoff
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Let the next step begin now."""
        self._wake.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=self._name)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=5)

    async def _run(self) -> None:
        failures = 0
        while True:
            self._wake.clear()
            try:
                pause = await self._step()
                failures = 0
            except (Exception, asyncio.CancelledError) as error:
                # A loop outlives any failure of one step: that is its purpose. Also the cancellation of
                # something that the step waited for; only its own ends it.
                if isinstance(error, asyncio.CancelledError) and _cancelled():
                    raise
                failures += 1
                pause = min(self._max_backoff, 0.1 * 2**failures)
                log.warning("%s failed, next try in %.1f s: %r", self._name, pause, error)
                await asyncio.sleep(pause)
                continue
            if pause > 0:
                try:
                    await asyncio.wait_for(self._wake.wait(), pause)
                except TimeoutError:
                    continue


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
