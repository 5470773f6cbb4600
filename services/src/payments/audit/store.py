"""Reads and writes the schema `audit`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from payments.audit.domain import Entry, Fact, Head, extend
from payments.common.db import Database

SCHEMA = "audit"
REVISION = "0002"
PAGE = 2000

# One writer at a time, over all replicas.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('audit.events'))"
_HEAD = "SELECT seq, hash FROM audit.head"
_KNOWN = "SELECT event_id FROM audit.events WHERE event_id = ANY($1::text[])"
_APPEND = """
INSERT INTO audit.events (seq, event_id, payment_id, customer_id, source, source_sequence, type, time,
    payload, prev_hash, hash)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
    $8::timestamptz[], $9::json[], $10::text[], $11::text[])"""
_MOVE_HEAD = "UPDATE audit.head SET seq = $1, hash = $2"

_GROWTH = """
SELECT h.seq, h.hash, (SELECT count(*) FROM audit.events WHERE seq > $1 AND seq <= h.seq) AS more
FROM audit.head AS h"""

_COLUMNS = """seq, event_id, payment_id, customer_id, source, source_sequence, type, time,
    payload::text AS payload, prev_hash, hash"""
_SEARCH = f"""
SELECT {_COLUMNS} FROM audit.events
WHERE seq > $1 AND ($2::text IS NULL OR payment_id = $2) AND ($3::text IS NULL OR type = $3)
ORDER BY seq LIMIT $4"""  # noqa: S608
_PAGE = f"SELECT {_COLUMNS} FROM audit.events WHERE seq > $1 ORDER BY seq LIMIT {PAGE}"  # noqa: S608
_BEFORE = "SELECT seq, hash FROM audit.events WHERE seq <= $1 ORDER BY seq DESC LIMIT 1"
_MISSING = """
SELECT noted.seq FROM unnest($1::bigint[], $2::text[]) AS noted(seq, hash)
LEFT JOIN audit.events AS e ON e.seq = noted.seq
WHERE e.hash IS DISTINCT FROM noted.hash ORDER BY noted.seq"""
_GAPS = """
SELECT source, before + 1 AS first, source_sequence - 1 AS last
FROM (SELECT source, source_sequence,
             coalesce(lag(source_sequence) OVER (PARTITION BY source ORDER BY source_sequence), 0) AS before
      FROM audit.events) AS pairs
WHERE source_sequence > before + 1 ORDER BY source, first LIMIT $1"""
_REPEATS = """
SELECT source, source_sequence, count(*) AS events
FROM audit.events
GROUP BY source, source_sequence HAVING count(*) > 1 ORDER BY source, source_sequence LIMIT $1"""
# What the payment's own service told last before it told of the end: was it at work, and since when?
_ATTEMPTS = """
SELECT ends.seq, before.time
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS ends(seq, payment_id, source, n)
CROSS JOIN LATERAL (
    SELECT e.type, e.time FROM audit.events AS e
    WHERE e.payment_id = ends.payment_id AND e.source = ends.source AND e.source_sequence < ends.n
        AND e.type LIKE 'payment.%' AND e.type <> 'payment.stuck'
    ORDER BY e.source_sequence DESC LIMIT 1) AS before
WHERE before.type = 'payment.processing'"""


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequence numbers of a source that nobody has heard of, both ends included."""

    source: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A sequence number of a source that several different events carry."""

    source: str
    source_sequence: int
    events: int


class Store:
    """The trail. Every call raises Problem(service_unavailable) while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, facts: Sequence[Fact]) -> Head | None:
        """Append what is new, in one transaction; returns the new head, None when nothing was new."""
        unique = {fact.event_id: fact for fact in facts}
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK)
            known = {row["event_id"] for row in await connection.fetch(_KNOWN, list(unique))}
            new = [fact for event_id, fact in unique.items() if event_id not in known]
            if not new:
                return None
            head = await connection.fetchrow(_HEAD)
            assert head is not None
            entries = extend(Head(head["seq"], head["hash"]), new)
            await connection.execute(_APPEND, *_columns(entries))
            await connection.execute(_MOVE_HEAD, entries[-1].seq, entries[-1].hash)
            return Head(entries[-1].seq, entries[-1].hash)

    async def search(
        self, *, payment_id: str | None, type_: str | None, after: int, limit: int
    ) -> list[Entry]:
        """Entries in the chain's order."""
        return [_entry(row) for row in await self._database.fetch(_SEARCH, after, payment_id, type_, limit)]

    async def attempts(self, ends: Sequence[Entry]) -> dict[int, datetime]:
        """When the attempt began that an entry ends, by the entry's `seq`; only of those that ended one."""
        rows = await self._database.fetch(
            _ATTEMPTS,
            [entry.seq for entry in ends],
            [entry.fact.payment_id for entry in ends],
            [entry.fact.source for entry in ends],
            [entry.fact.source_sequence for entry in ends],
        )
        return {row["seq"]: row["time"] for row in rows}

    async def growth(self, seq: int) -> tuple[Head, int]:
        """The chain's head, and how many entries there are behind entry `seq`."""
        row = await self._database.fetchrow(_GROWTH, seq, timeout=60)
        return (Head(row["seq"], row["hash"]), row["more"]) if row is not None else (Head(), 0)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["Snapshot"]:
        """The trail at one moment."""
        async with self._database.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield Snapshot(connection)

    async def ping(self) -> None:
        """Raises Problem(service_unavailable) when the database does not answer."""
        await self._database.fetchval("SELECT 1")

    async def ready(self) -> bool:
        """True when the database answers with the schema that this code needs."""
        return await self._database.ready(SCHEMA, REVISION)


class Snapshot:
    """Reads the whole trail as it was when the snapshot began."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def head(self) -> Head:
        """The chain's end as the writer noted it."""
        row = await self._connection.fetchrow(_HEAD)
        return Head(row["seq"], row["hash"]) if row is not None else Head()

    async def before(self, seq: int) -> Head:
        """The entry at `seq`, or the last one before it."""
        row = await self._connection.fetchrow(_BEFORE, seq)
        return Head(row["seq"], row["hash"]) if row is not None else Head()

    async def page(self, after: int) -> list[Entry]:
        """The next PAGE entries behind `after`."""
        return [_entry(row) for row in await self._connection.fetch(_PAGE, after, timeout=30)]

    async def missing(self, noted: Sequence[Head]) -> list[int]:
        """Those of the entries noted elsewhere that are not in the trail (any more), by `seq`."""
        rows = await self._connection.fetch(
            _MISSING, [head.seq for head in noted], [head.hash for head in noted], timeout=60
        )
        return [row["seq"] for row in rows]

    async def gaps(self, limit: int) -> list[Gap]:
        """Missing sequence numbers of the sources."""
        return [Gap(**row) for row in await self._connection.fetch(_GAPS, limit, timeout=60)]

    async def repeats(self, limit: int) -> list[Repeat]:
        """Sequence numbers that were used twice."""
        return [Repeat(**row) for row in await self._connection.fetch(_REPEATS, limit, timeout=60)]


def _columns(entries: Sequence[Entry]) -> list[list[Any]]:
    return [
        [entry.seq for entry in entries],
        [entry.fact.event_id for entry in entries],
        [entry.fact.payment_id for entry in entries],
        [entry.fact.customer_id for entry in entries],
        [entry.fact.source for entry in entries],
        [entry.fact.source_sequence for entry in entries],
        [entry.fact.type for entry in entries],
        [entry.fact.time for entry in entries],
        [entry.fact.payload for entry in entries],
        [entry.prev_hash for entry in entries],
        [entry.hash for entry in entries],
    ]


def _entry(row: asyncpg.Record) -> Entry:
    fact = Fact(
        event_id=row["event_id"],
        payment_id=row["payment_id"],
        customer_id=row["customer_id"],
        source=row["source"],
        source_sequence=row["source_sequence"],
        type=row["type"],
        time=row["time"],
        payload=row["payload"],
    )
    return Entry(row["seq"], fact, row["prev_hash"], row["hash"])
