"""Failed logins of a user name: after too many, the name has to wait, from whatever address."""

import hashlib
import math

from payments.common.errors import Problem
from payments.common.redis import Cache, RedisError


class LoginThrottle:
    """Counts failures in Redis for `window_seconds` from the first; without Redis only addresses count.

    Names that do not exist are counted alike, so that nothing is learned about who exists.
    """

    def __init__(self, cache: Cache, *, prefix: str, failures: int, window_seconds: int) -> None:
        self._cache = cache
        self._prefix = f"{prefix}:failures:"
        self._failures = failures
        self._window_ms = window_seconds * 1000

    async def check(self, username: str) -> None:
        """Raises Problem(rate_limited) when the name has to wait."""
        key = self._key(username)
        try:
            async with self._cache.client.pipeline(transaction=False) as pipeline:
                pipeline.get(key)
                pipeline.pttl(key)
                count, milliseconds = await pipeline.execute()
        except RedisError:
            return
        if count is not None and int(count) >= self._failures:
            raise Problem("rate_limited", retry_after=max(1, math.ceil(milliseconds / 1000)))

    async def failed(self, username: str) -> None:
        """Count a failure."""
        key = self._key(username)
        try:
            async with self._cache.client.pipeline(transaction=True) as pipeline:
                pipeline.set(key, 0, px=self._window_ms, nx=True)
                pipeline.incr(key)
                await pipeline.execute()
        except RedisError:
            return

    def _key(self, username: str) -> str:
        return self._prefix + hashlib.sha256(username.encode()).hexdigest()
