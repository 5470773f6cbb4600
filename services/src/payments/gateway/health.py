"""Answers about dependencies, kept for a moment: /health is open to everybody and must not multiply load."""

import asyncio
import time

from payments.common.app import Check

_SECONDS = 1.0


class Remembered:
    """A check whose outcome is asked for once a second at the most."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._until = 0.0
        self._error: Exception | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> None:
        """Raises what the check raised."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._error = await self._outcome()
                self._until = time.monotonic() + _SECONDS
        if self._error is not None:
            raise self._error

    async def _outcome(self) -> Exception | None:
        try:
            async with asyncio.timeout(2):
                await self._check()
        except Exception as error:  # whatever the client library raises is the answer
            return error
        return None
