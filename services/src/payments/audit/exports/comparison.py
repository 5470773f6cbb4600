"""Whether the search index holds exactly the trail: every row by its id and the hash of its content."""

import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from payments.audit.exports.documents import Document, canonical, day_of_index, document
from payments.audit.exports.engine import Engine
from payments.audit.exports.positions import Position
from payments.audit.exports.rebuild import SAY_SECONDS, Say
from payments.audit.exports.search import PATTERN, SearchIndex
from payments.audit.store import Store

MAX_NAMED = 100
PAGE = 1000
_QUERY = {"sort": [{"seq": {"order": "asc", "missing": "_first", "unmapped_type": "long"}}]}

Kind = Literal["missing", "different", "unknown", "twice"]
Row = tuple[int, Document]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not in the index, not as it should be or more than once; or a document without a row."""

    kind: Kind
    event_id: str
    seq: int | None


@dataclass(slots=True)
class Comparison:
    """The outcome. `waiting`: rows that were not yet due. The list of differences ends at 100."""

    rows: int = 0
    documents: int = 0
    waiting: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """No difference at all."""
        return self.differing == 0

    def note(self, kind: Kind, event_id: str, seq: int | None) -> None:
        """Count a difference."""
        self.differing += 1
        if len(self.differences) < MAX_NAMED:
            self.differences.append(Difference(kind, event_id, seq))


@dataclass(frozen=True, slots=True)
class _Hit:
    id: str
    seq: int | None
    source: dict[str, Any]
    index: str

    def same_as(self, made: Document) -> bool:
        """Content and index are those of this document."""
        digest = hashlib.sha256(canonical(self.source)).hexdigest()
        return digest == made.digest and day_of_index(self.index) == made.day


class Comparer:
    """Compares the index with the trail while both go on. Raises StoreError, Problem."""

    def __init__(
        self, engine: Engine, search: SearchIndex, store: Store, position: Position, say: Say
    ) -> None:
        self._engine = engine
        self._search = search
        self._store = store
        self._position = position
        self._say = say
        self._said = time.monotonic()
        self._horizon = search.horizon

    async def compare(self) -> Comparison:
        """Everything up to where the indexer has come at this moment."""
        due = (await self._position.standing()).seq
        await self._engine.refresh(PATTERN)
        result = Comparison()
        rows = self._rows(0, due)
        row = await anext(rows, None)
        matched = False
        later: list[_Hit] = []
        async for hit in self._hits():
            result.documents += 1
            self._progress(result, due)
            if hit.seq is None:
                result.note("unknown", hit.id, None)
                continue
            if hit.seq > due:
                later.append(hit)
                continue
            while row is not None and row[0] < hit.seq:
                result.rows += 1
                if not matched:
                    result.note("missing", row[1].id, row[0])
                row, matched = await anext(rows, None), False
            if row is None or row[0] != hit.seq or row[1].id != hit.id:
                result.note("unknown", hit.id, hit.seq)
            elif matched:
                result.note("twice", hit.id, hit.seq)
            else:
                matched = True
                if not hit.same_as(row[1]):
                    result.note("different", hit.id, hit.seq)
        while row is not None:
            result.rows += 1
            if not matched:
                result.note("missing", row[1].id, row[0])
            row, matched = await anext(rows, None), False
        await self._compare_later(result, due, later)
        return result

    def _progress(self, result: Comparison, due: int) -> None:
        if time.monotonic() - self._said > SAY_SECONDS:
            self._said = time.monotonic()
            self._say(f"{result.rows} of up to {due} rows compared, {result.differing} differences")

    async def _compare_later(self, result: Comparison, due: int, hits: list[_Hit]) -> None:
        """What the indexer wrote meanwhile need not be there, but has to be right."""
        head = (await self._position.standing()).head
        rows = {made.id: made async for _, made in self._rows(due, head)}
        for hit in hits:
            made = rows.get(hit.id)
            if made is None:
                result.note("unknown", hit.id, hit.seq)
            elif not hit.same_as(made):
                result.note("different", hit.id, hit.seq)
        result.waiting = len(rows)

    async def _rows(self, after: int, upto: int) -> AsyncIterator[Row]:
        while after < upto:
            page = await self._store.search(payment_id=None, type_=None, after=after, limit=PAGE)
            for entry in page:
                made = document(entry)
                if entry.seq <= upto and made.day >= self._horizon:
                    yield entry.seq, made
            after = page[-1].seq if page else upto

    async def _hits(self) -> AsyncIterator[_Hit]:
        async for found in self._engine.scan(PATTERN, _QUERY):
            of = day_of_index(found["_index"])
            if of is not None and of < self._horizon:
                continue  # about to be deleted
            source = found["_source"]
            seq = source.get("seq")
            yield _Hit(found["_id"], seq if isinstance(seq, int) else None, source, found["_index"])
