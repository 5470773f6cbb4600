"""May this request pass: the client's rate limit and the session's revocation, in one Redis call."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from payments.common.errors import Problem
from payments.gateway.revocations import Revocations

_LOCAL_LOGINS = 10
_LOCAL_SECONDS = 60
_LOCAL_SIZE = 10_000


class Window(NamedTuple):
    """What the RateLimit headers say; seconds."""

    limit: int
    remaining: int
    reset: int


class Verdict(NamedTuple):
    """`window` is None when Redis was away and nothing was counted; `retry_after` is 0 when allowed."""

    revoked: bool
    window: Window | None = None
    retry_after: int = 0


class Guard:
    """Counts by client address: `limit` requests in `window_seconds`."""

    def __init__(self, revocations: Revocations, *, prefix: str, limit: int, window_seconds: int) -> None:
        self._revocations = revocations
        self._key = f"{prefix}:rate:"
        self._limit = limit
        self._window_ms = window_seconds * 1000

    async def check(self, address: str, session_id: str | None) -> Verdict:
        """Count the request and look the session up.

        Raises:
            Problem: service_unavailable, when neither Redis nor PostgreSQL can tell about the session.
        """
        reply = await self._revocations.guard(self._key + address, session_id, self._limit, self._window_ms)
        if reply is None:
            return Verdict(session_id is not None and await self._revocations.is_revoked(session_id))
        allowed, remaining, ends, wait, revoked = reply
        retry_after = 0 if allowed else max(1, math.ceil(wait / 1000))
        window = Window(self._limit, remaining, retry_after or max(1, math.ceil(ends / 1000)))
        return Verdict(bool(revoked), window, retry_after)


class LocalLimit:
    """A cap on logins of each address in this process alone, for when Redis is away."""

    def __init__(self, *, limit: int = _LOCAL_LOGINS, seconds: int = _LOCAL_SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._counts: dict[str, int] = {}
        self._ends = 0.0

    def count(self, address: str) -> None:
        """Count one. Raises Problem(rate_limited)."""
        now = time.monotonic()
        if now >= self._ends:
            self._counts.clear()
            self._ends = now + self._seconds
        used = self._counts.get(address, 0)
        if used >= self._limit or len(self._counts) >= _LOCAL_SIZE:
            raise Problem("rate_limited", retry_after=max(1, math.ceil(self._ends - now)))
        self._counts[address] = used + 1
