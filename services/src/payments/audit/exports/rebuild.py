"""The search index made anew from PostgreSQL, beside the old one, and put in its place in one step.

Searches see the old index, whole and kept up to date, until they see the new one, whole. A rebuild that is
interrupted leaves nothing but indices that nobody reads, which the next one deletes.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from payments.audit.exports.documents import INDICES, Document, day_of_index, document, index
from payments.audit.exports.engine import Engine
from payments.audit.exports.loop import StoreError
from payments.audit.exports.positions import Position
from payments.audit.exports.search import PATTERN, SearchIndex, parts
from payments.audit.store import Store

PAGE = 1000
#: Searches that began before the change end on the old indices.
GRACE_SECONDS = 5.0
SAY_SECONDS = 5.0

Say = Callable[[str], None]


class Busy(Exception):
    """Another rebuild is at work."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done, or would be: documents written, indices that stand now, indices that are gone."""

    documents: int
    indices: int
    removed: int


class Rebuild:
    """One rebuild. `guard` keeps others away; `position` is the indexer's, which waits at the end."""

    def __init__(
        self,
        engine: Engine,
        search: SearchIndex,
        store: Store,
        position: Position,
        guard: Position,
        say: Say,
    ) -> None:
        self._engine = engine
        self._search = search
        self._store = store
        self._position = position
        self._guard = guard
        self._say = say
        self._prefix = f"{INDICES}-{int(time.time())}"
        self._days: set[date] = set()
        self._written = 0
        self._holding = False

    async def preview(self) -> Rebuilt:
        """What `run` would do; changes nothing. Raises StoreError, Problem."""
        head = (await self._position.standing()).head
        documents, days, seq = 0, set(), 0
        while page := await self._store.search(payment_id=None, type_=None, after=seq, limit=PAGE):
            kept = [made for made in map(document, page) if made.day >= self._search.horizon]
            documents += len(kept)
            days |= {made.day for made in kept}
            seq = page[-1].seq
            if seq >= head:
                break
        return Rebuilt(documents, len(days), len(await self._engine.indices(PATTERN)))

    async def run(self) -> Rebuilt:
        """Do it. Raises Busy, StoreError, Problem."""
        if await self._guard.take() is None:
            raise Busy
        try:
            return await self._run()
        finally:
            await self._guard.release()
            if self._holding:
                await self._position.release()

    async def _run(self) -> Rebuilt:
        for name in await self._leftovers():
            self._say(f"deleting {name}, left by a rebuild that was interrupted")
            await self._engine.delete(name)
        if await self._search.lost():
            await self._seize()
            await self._position.move(0)
            await self._position.release()
        await self._search.prepare()
        seq = await self._fill(0)
        # The indexer goes on writing to the old index until here; what came meanwhile is little.
        await self._seize()
        seq = await self._fill(seq)
        await self._engine.refresh(f"{self._prefix}-*")
        if (count := await self._engine.count(f"{self._prefix}-*")) != self._written:
            raise StoreError(f"the new index has {count} documents instead of {self._written}")
        fresh = await self._engine.indices(f"{self._prefix}-*")
        old = [name for name in await self._engine.indices(PATTERN) if name not in fresh]
        await self._swap(old, list(fresh))
        await self._seize()  # should the lease have ended, the indexer has written to the old indices
        await self._position.move(seq)
        await self._position.release()
        await asyncio.sleep(GRACE_SECONDS if old else 0)
        for name in old:
            await self._engine.delete(name)
        return Rebuilt(self._written, len(fresh), len(old))

    async def _leftovers(self) -> list[str]:
        found = await self._engine.indices(f"{INDICES}-*")
        return [name for name, aliases in found.items() if not aliases]

    async def _seize(self) -> None:
        await self._position.seize()
        self._holding = True

    async def _fill(self, seq: int) -> int:
        """Write what is behind `seq` up to the present end of the trail; that end."""
        head = (await self._position.standing()).head
        said = time.monotonic()
        while seq < head:
            page = await self._store.search(payment_id=None, type_=None, after=seq, limit=PAGE)
            entries = [entry for entry in page if entry.seq <= head]
            kept = [made for made in map(document, entries) if made.day >= self._search.horizon]
            await self._write(kept)
            self._written += len(kept)
            seq = entries[-1].seq
            if await self._guard.take() is None or (self._holding and await self._position.take() is None):
                raise Busy
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                self._say(f"{seq} of {head} entries, {self._written} documents written")
        return head

    async def _write(self, documents: list[Document]) -> None:
        for part in parts(documents):
            for of in {each.day for each in part} - self._days:
                await self._engine.create(index(of, prefix=self._prefix))
                self._days.add(of)
            await self._engine.bulk(
                (index(each.day, prefix=self._prefix), each.id, each.body) for each in part
            )

    async def _swap(self, old: list[str], fresh: list[str]) -> None:
        actions: list[dict[str, object]] = []
        for name in old:
            if name.startswith(f"{INDICES}-"):
                actions.append({"remove": {"index": name, "alias": PATTERN}})
            else:  # somebody made it, under a name that is to be an alias
                actions.append({"remove_index": {"index": name}})
        for name in fresh:
            of = day_of_index(name)
            assert of is not None
            actions.append({"add": {"index": name, "alias": index(of)}})
        if actions:
            await self._engine.change_aliases(actions)
