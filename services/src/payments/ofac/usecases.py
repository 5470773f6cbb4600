"""Screening somebody against the list in force."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from payments.common.errors import Problem
from payments.ofac.domain.decision import Match, Screening, Subject, Thresholds, decide
from payments.ofac.domain.names import NameType, is_readable
from payments.ofac.index import ALGORITHM, Index
from payments.ofac.store import ActiveList, Method, Store

log = logging.getLogger(__name__)

Kind = Literal["individual", "business"]
_KINDS: dict[Kind | None, Sequence[NameType]] = {
    "individual": ("individual",),
    "business": ("entity",),
    None: ("individual", "entity"),
}
# Hits this far below the review threshold are stored with the decision, as its near misses.
NEAR_MISS = 0.05
MAX_MATCHES = 20


@dataclass(frozen=True, slots=True)
class _Loaded:
    active: ActiveList
    index: Index


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
        self._thresholds = thresholds
        self._loaded: _Loaded | None = None
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
        loaded = await self._current(await self._store.revision())
        return f"{loaded.active.revision}-{self._method}"

    async def refresh(self) -> float:
        """Step of a background loop: load the list when it has changed."""
        if self._loaded is None or await self._store.revision() != self._loaded.active.revision:
            await self._load()
        return 1.0

    async def screen(self, subject: Subject, kind: Kind | None) -> Outcome:
        """Decide and store the decision with its event. Raises Problem(service_unavailable)."""
        revision, rules = await self._store.state(subject.customer_id)
        loaded = await self._current(revision)
        floor = self._thresholds.review - NEAR_MISS
        hits = await asyncio.to_thread(
            loaded.index.search, subject.name, _KINDS[kind], floor, subject.documents
        )
        readable = is_readable(subject.name)
        screening = decide(hits, subject, rules, self._thresholds, readable=readable)
        matches = [_describe(match) for match in screening.matches[:MAX_MATCHES]]
        method = Method(
            list_id=loaded.active.list_id,
            list_hash=loaded.active.hash,
            revision=revision,
            algorithm=ALGORITHM,
            review_threshold=self._thresholds.review,
            match_threshold=self._thresholds.match,
        )
        decision_id = await self._store.record(subject, screening, method, matches)
        return Outcome(screening, matches, loaded.active.list_id, decision_id)

    async def _current(self, revision: int) -> _Loaded:
        """The list at `revision` or later: what the database says now, not what this process once read."""
        loaded = self._loaded
        if loaded is None or loaded.active.revision < revision:
            loaded = await self._load()
        if loaded is None:
            raise Problem("service_unavailable", "No sanctions list is loaded", retry_after=30)
        return loaded

    async def _load(self) -> _Loaded | None:
        async with self._lock:
            known = self._loaded.active if self._loaded else None
            active = await self._store.active_list(known)
            if active is None:
                self._loaded = None
                if not self._told:
                    log.error("no sanctions list is active; load one with `python3 -m payments.ofac.load`")
                self._told = True
            elif self._loaded is not None and known is not None and known.list_id == active.list_id:
                self._loaded = _Loaded(active, self._loaded.index)
            else:
                index = await asyncio.to_thread(Index, active.entries)
                self._loaded = _Loaded(active, index)
                self._told = False
                log.info("sanctions list %d is in force, %d names", active.list_id, len(index))
            return self._loaded


def _describe(match: Match) -> dict[str, Any]:
    entry = match.hit.entry
    return {
        "ent_num": entry.ent_num,
        "name": entry.primary,
        "matched_name": match.hit.name.text,
        "matched_kind": match.hit.name.kind,
        "type": entry.type,
        "programs": entry.programs,
        "countries": entry.countries,
        "score": round(match.hit.score.score, 4),
        "decision": match.decision,
        "reasons": match.reasons,
    }
