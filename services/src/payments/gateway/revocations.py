"""Revoked sessions: PostgreSQL is the record, Redis the cache that every request asks.

The cache may be trusted only while it surely holds all of them. It is not trusted
- after any failed call (a revocation may not have arrived),
- when Redis has restarted (its newest second may be lost): it has forgotten the script then, and says so,
- when it was wiped: then the mark is missing that stands beside the revocations.
Until the loop below has copied all live revocations again, requests ask PostgreSQL.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from time import monotonic
from typing import Any, Self

from redis.exceptions import NoScriptError

from payments.common.background import Loop
from payments.common.redis import Cache, RedisError
from payments.gateway.store import Store

log = logging.getLogger(__name__)

_SCRIPT = files("payments.gateway").joinpath("guard.lua").read_text()
_PAUSE_SECONDS = 0.5
_PURGE_SECONDS = 600.0
# What Redis may have lost in a crash without restarting as seen from here, and what commits late.
_OVERLAP = timedelta(seconds=10)
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class Revocations:
    """Keeps the cache complete, and says whether it is."""

    def __init__(self, store: Store, cache: Cache, *, prefix: str) -> None:
        self._store = store
        self._cache = cache
        self._mark = f"{prefix}:revocations"
        self._key = f"{prefix}:revoked:"
        self._sha: str = cache.script(_SCRIPT).sha
        self._trusted = False
        self._losses = 0
        self._copied_until: datetime | None = None
        self._purged_at = 0.0
        self._loop = Loop("revocations", self._copy, max_backoff=2.0)

    async def __aenter__(self) -> Self:
        await self._loop.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._loop.__aexit__()

    @property
    def begun(self) -> bool:
        """Redis has been asked: it counts requests from now on, or is known to be away."""
        return self._trusted or self._losses > 0

    async def guard(self, windows: Sequence[tuple[str, int]], marks: Sequence[str], window_ms: int) -> Any:
        """The script's reply (see guard.lua), None while Redis cannot be trusted.

        Args:
            windows: key and limit of each rate limit.
            marks: names under which the session may have been revoked; empty without one.
        """
        if not self._trusted:
            return None
        keys = [self._mark, *(key for key, _ in windows), *(self._key + mark for mark in marks)]
        limits = [limit for _, limit in windows]
        try:
            reply = await self._cache.client.evalsha(
                self._sha, len(keys), *keys, window_ms, len(limits), *limits
            )
        except NoScriptError:
            self._lost("it has restarted")
        except RedisError as error:
            self._lost(f"it failed: {type(error).__name__}")
        else:
            if reply[4] >= 0:
                return reply
            self._lost("it was emptied")
        return None

    async def is_revoked(self, marks: Sequence[str]) -> bool:
        """Asks PostgreSQL. Raises Problem(service_unavailable)."""
        return await self._store.is_revoked(marks)

    async def announce(self, mark: str) -> None:
        """Tell all replicas at once what PostgreSQL knows to be revoked: a session, or a generation."""
        milliseconds = int(self._store.revocation_seconds * 1000)
        try:
            await self._cache.client.set(self._key + mark, 1, px=milliseconds)
        except RedisError as error:
            self._lost(f"it failed: {type(error).__name__}")

    def _lost(self, why: str) -> None:
        if self._trusted:
            log.warning("revocations are looked up in PostgreSQL, Redis is not trusted: %s", why)
        self._trusted = False
        self._copied_until = None
        self._losses += 1
        self._loop.wake()

    async def _copy(self) -> float:
        losses, full = self._losses, self._copied_until is None
        now = await self._store.now()
        rows = await self._store.revoked_since(self._copied_until or _BEGINNING)
        try:
            marked = await self._write(rows, full=full)
        except RedisError as error:
            self._lost(f"it failed: {type(error).__name__}")
            return _PAUSE_SECONDS
        if not marked:
            self._lost("it was emptied")
        if losses != self._losses:  # something happened meanwhile: begin again
            return 0
        if not self._trusted:
            log.info("Redis holds all %d live revocations", len(rows))
        self._trusted, self._copied_until = True, now - _OVERLAP
        if monotonic() - self._purged_at > _PURGE_SECONDS:
            await self._store.purge()
            self._purged_at = monotonic()
        return _PAUSE_SECONDS

    async def _write(self, rows: list[tuple[str, float]], *, full: bool) -> bool:
        """Copy in one transaction; False when the mark is missing that a partial copy builds on."""
        async with self._cache.client.pipeline(transaction=True) as pipeline:
            for session_id, seconds in rows:
                pipeline.set(self._key + session_id, 1, px=max(1, int(seconds * 1000)))
            if full:
                pipeline.execute_command("SCRIPT LOAD", _SCRIPT)
                pipeline.set(self._mark, 1)
            else:
                pipeline.exists(self._mark)
            results = await pipeline.execute()
        return bool(results[-1])
