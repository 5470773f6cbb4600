"""The loop that keeps a copy of the trail up to date: at least once, in order, whatever the store does."""

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import Counter, Gauge

from payments.audit.domain import Entry
from payments.audit.exports.positions import Position
from payments.audit.store import Store
from payments.common import metrics
from payments.common.background import Loop
from payments.common.errors import Problem

log = logging.getLogger(__name__)

BATCH = 500
IDLE_SECONDS = 1.0
#: Between two looks at a store for which there is nothing new.
CHECK_SECONDS = 30.0


class StoreError(Exception):
    """A store did not answer, or refused; what was sent may be there in part. Never holds content."""


class Target(Protocol):
    """A store that holds a copy."""

    async def lost(self) -> bool:
        """Whether the store is new, or has lost what it had. Raises StoreError."""

    async def prepare(self) -> None:
        """Bring the store into shape. Raises StoreError."""

    async def put(self, entries: Sequence[Entry]) -> int:
        """Copy entries, again when they are there; how many it keeps. Raises StoreError."""


@dataclass(frozen=True)
class Figures:
    """What a loop tells on /metrics."""

    backlog: Gauge
    done: Counter
    error_age: Gauge

    @staticmethod
    def of(store: str, done: str, what: str) -> "Figures":
        """payments_audit_<store>_*; `done` names the counter of `what`."""
        figures = Figures(
            metrics.gauge(f"payments_audit_{store}_backlog", f"Entries of the trail not yet in {what}."),
            metrics.counter(f"payments_audit_{store}_{done}_total", f"What was put into {what}."),
            metrics.gauge(
                f"payments_audit_{store}_last_error_age_seconds", f"Since {what} last refused or was away."
            ),
        )
        for each in (figures.backlog, figures.error_age):
            each.set(math.nan)  # as long as the copy is switched off
        return figures


class Export(Loop):
    """Copies the trail to `target` from where the last one stopped; one replica at a time."""

    def __init__(self, name: str, store: Store, position: Position, target: Target, figures: Figures) -> None:
        super().__init__(name, self._step)
        self._store = store
        self._position = position
        self._target = target
        self._figures = figures
        self._check_at = 0.0
        self._failed_at = math.nan
        figures.error_age.set_function(lambda: time.monotonic() - self._failed_at)

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        try:
            async with asyncio.timeout(5):
                await self._position.release()
        except (Problem, TimeoutError) as problem:
            log.warning("another replica has to wait for the lease to end: %r", problem)

    async def _step(self) -> float:
        standing = await self._position.standing()
        self._figures.backlog.set(standing.backlog)
        if not standing.backlog and time.monotonic() < self._check_at:
            return IDLE_SECONDS
        seq = await self._position.take()
        if seq is None:
            return IDLE_SECONDS
        try:
            if await self._target.lost():
                seq = 0
                await self._position.move(seq)
            await self._target.prepare()
            self._check_at = time.monotonic() + CHECK_SECONDS
            entries = await self._store.search(payment_id=None, type_=None, after=seq, limit=BATCH)
            kept = await self._target.put(entries)
        except StoreError:
            self._failed_at = time.monotonic()
            raise
        if not entries:
            return IDLE_SECONDS
        await self._position.move(entries[-1].seq)
        self._figures.done.inc(kept)
        return 0
