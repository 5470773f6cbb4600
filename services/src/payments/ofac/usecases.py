"""Screening somebody against the list in force."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from payments.common import metrics
from payments.common.errors import Problem
from payments.ofac.domain.decision import Screening, Subject, Thresholds
from payments.ofac.index import ALGORITHM, Index
from payments.ofac.screening import Kind, LoadedList, described, screen
from payments.ofac.store import Method, Store

log = logging.getLogger(__name__)

SCREENINGS = metrics.counter(
    "payments_sanctions_screenings_total", "Screenings, by decision and occasion.", ["decision", "occasion"]
)
metrics.from_zero(SCREENINGS, ("clear", "possible_match", "match"), ("payment", "rescreening"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored decision."""

    screening: Screening
    matches: list[dict[str, Any]]
    list_version: int
    decision_id: str


class Screener:
    """Keeps the list in memory, in step with the database, and decides. Without a list nothing is decided."""

    def __init__(self, store: Store, thresholds: Thresholds) -> None:
        self._store = store
        self.thresholds = thresholds
        self._loaded: LoadedList | None = None
        self._lock = asyncio.Lock()
        self._told = False
        method = f"{ALGORITHM} {thresholds.review} {thresholds.match}"
        self._method = hashlib.sha256(method.encode()).hexdigest()[:8]

    @property
    def loaded(self) -> bool:
        """True when there is a list to screen against."""
        return self._loaded is not None

    async def version(self) -> str:
        """Changes whenever the same question could get another answer. Raises Problem."""
        revision, ended = await self._store.version()
        loaded = await self.current(revision)
        return f"{loaded.active.revision}-{ended}-{self._method}"

    async def refresh(self) -> float:
        """Step of a background loop: load the list when it has changed."""
        if self._loaded is None or await self._store.revision() != self._loaded.active.revision:
            await self._load()
        return 1.0

    async def screen(self, subject: Subject, kind: Kind | None) -> Outcome:
        """Decide and store the decision with its event. Raises Problem(service_unavailable)."""
        revision, rules = await self._store.state(subject.customer_id, subject.name)
        loaded = await self.current(revision)
        screening = await asyncio.to_thread(screen, loaded, subject, kind, rules, self.thresholds)
        matches = described(screening)
        method = self.method(loaded, revision)
        decision_id = await self._store.record(subject, screening, method, matches)
        SCREENINGS.labels(screening.decision, "payment").inc()
        return Outcome(screening, matches, loaded.active.list_id, decision_id)

    async def fingerprints(self, numbers: Sequence[int]) -> dict[int, str]:
        """The entries as they stand on the list now. Raises Problem."""
        loaded = await self.current(await self._store.revision())
        found = {e.ent_num: e.fingerprint for e in loaded.active.entries if e.ent_num in set(numbers)}
        if missing := set(numbers) - set(found):
            message = f"the list has no entry {min(missing)}"
            raise Problem("validation_failed", errors=[{"field": "entries", "message": message}])
        return found

    def method(self, loaded: LoadedList, revision: int) -> Method:
        """What decisions by this list are made with."""
        return Method(
            list_id=loaded.active.list_id,
            list_hash=loaded.active.hash,
            revision=revision,
            algorithm=ALGORITHM,
            review_threshold=self.thresholds.review,
            match_threshold=self.thresholds.match,
        )

    async def current(self, revision: int) -> LoadedList:
        """The list at `revision` or later: what the database says now, not what this process once read."""
        loaded = self._loaded
        if loaded is None or loaded.active.revision < revision:
            loaded = await self._load()
        if loaded is None:
            raise Problem("service_unavailable", "No sanctions list is loaded", retry_after=30)
        return loaded

    async def _load(self) -> LoadedList | None:
        async with self._lock:
            known = self._loaded.active if self._loaded else None
            active = await self._store.active_list(known)
            if active is None:
                self._loaded = None
                if not self._told:
                    log.error("no sanctions list is active; load one with `python3 -m payments.ofac.load`")
                self._told = True
            elif self._loaded is not None and known is not None and known.list_id == active.list_id:
                self._loaded = LoadedList(active, self._loaded.index)
            else:
                index = await asyncio.to_thread(Index, active.entries)
                self._loaded = LoadedList(active, index)
                self._told = False
                log.info("sanctions list %d is in force, %d names", active.list_id, len(index))
            return self._loaded
