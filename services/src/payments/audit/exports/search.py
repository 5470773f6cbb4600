"""The search index as a copy of the trail: daily indices, and an end to them."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from payments.audit.domain import Entry
from payments.audit.exports.documents import (
    ALIAS,
    INDICES,
    TEMPLATE,
    TEMPLATE_VERSION,
    Document,
    day_of_index,
    document,
    horizon,
    index,
)
from payments.audit.exports.engine import Engine
from payments.audit.exports.loop import StoreError
from payments.common.clock import utcnow

PATTERN = f"{ALIAS}-*"
FIRST = f"{INDICES}-0"
#: One request; both engines take up to 100 MB by default.
BULK_BYTES = 4 * 1024 * 1024
_TIDY_SECONDS = 600.0


class SearchIndex:
    """The index in an engine. What is older than `retention`, by days, is not kept. Raises StoreError."""

    def __init__(
        self, engine: Engine, *, retention: timedelta, clock: Callable[[], datetime] = utcnow
    ) -> None:
        self._engine = engine
        self._retention = retention
        self._clock = clock
        self._tidy_at = float("-inf")
        self._version = 0
        self._days: set[date] = set()  # those that have an alias

    @property
    def horizon(self) -> date:
        """The first day that is kept."""
        return horizon(self._clock(), self._retention)

    async def lost(self) -> bool:
        """Whether the engine does not know our template: it is a new one, or its data are gone."""
        found = await self._engine.template(ALIAS)
        self._version = 0 if found is None else int(found.get("version", 0))
        if found is None:
            self._days.clear()
        return found is None

    async def prepare(self) -> None:
        """Put the template when the engine's is older, and delete indices that are too old."""
        if self._version < TEMPLATE_VERSION:
            await self._engine.put_template(ALIAS, TEMPLATE)
        if time.monotonic() >= self._tidy_at:
            await self._tidy()
            self._tidy_at = time.monotonic() + _TIDY_SECONDS

    async def put(self, entries: Sequence[Entry]) -> int:
        """Index the entries that are young enough; how many they are."""
        first = self.horizon
        kept = [made for made in map(document, entries) if made.day >= first]
        await self.write(kept)
        return len(kept)

    async def write(self, documents: Iterable[Document]) -> None:
        """Write documents to the aliases of their days, in requests of a bounded size."""
        try:
            for part in parts(documents):
                for of in {each.day for each in part} - self._days:
                    if not await self._engine.indices(index(of)):
                        await self._engine.create(index(of, prefix=FIRST), alias=index(of))
                    self._days.add(of)
                await self._engine.bulk(
                    ((index(each.day), each.id, each.body) for each in part), aliases=True
                )
        except StoreError:
            self._days.clear()
            raise

    async def _tidy(self) -> None:
        for name in await self._engine.indices(PATTERN):
            of = day_of_index(name)
            if of is not None and of < self.horizon:
                await self._engine.delete(name)


def parts(documents: Iterable[Document], limit: int = BULK_BYTES) -> Iterator[list[Document]]:
    """The documents in their order, in lists of at most `limit` bytes or of one document."""
    part: list[Document] = []
    size = 0
    for each in documents:
        if part and size + len(each.body) > limit:
            yield part
            part, size = [], 0
        part.append(each)
        size += len(each.body)
    if part:
        yield part
