"""Answers that hold as long as the peer's version stands still.

A poll asks the peer's version about once a second. An answer counts while the version is the one seen before
the answer was asked for, and while the last poll is fresh: a change at the peer is followed within seconds,
and a peer that cannot be asked makes its cache unusable soon.
"""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

POLL_SECONDS = 1.0
FRESH_SECONDS = 5.0


class VersionedCache(Generic[V]):
    """Values by key, all of one version of the peer.

    Args:
        fetch_version: asks the peer; raises when it does not answer.
        size: when full, the oldest entry goes.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        fetch_version: Callable[[], Awaitable[str]],
        *,
        size: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch_version = fetch_version
        self._size = size
        self._clock = clock
        self._version: str | None = None
        self._polled = float("-inf")
        self._values: dict[Hashable, tuple[float, V]] = {}

    async def poll(self) -> float:
        """Step of a background loop: ask the version once."""
        asked = self._clock()
        version = await self._fetch_version()
        if version != self._version:
            self._values.clear()
            self._version = version
        # From the moment of asking: the answer may have been on its way for long.
        self._polled = asked
        return POLL_SECONDS

    @property
    def version(self) -> str | None:
        """The version that holds now; None when the last poll is too old to rely on."""
        return self._version if self._clock() - self._polled <= FRESH_SECONDS else None

    def get(self, key: Hashable, now: float) -> V | None:
        """The answer, unless the cache is unusable or the answer ended before `now` (unix seconds)."""
        if self.version is None:
            return None
        found = self._values.get(key)
        return None if found is None or found[0] <= now else found[1]

    def put(self, key: Hashable, value: V, *, version: str | None, until: float = float("inf")) -> None:
        """Keep an answer that was asked for after `version` had been seen; `until` is in unix seconds."""
        if version is None or version != self._version:
            return
        if len(self._values) >= self._size:
            del self._values[next(iter(self._values))]
        self._values[key] = (until, value)
