"""The transactional outbox: rows written with the change itself, relayed to Kafka afterwards.

Each owner's schema has a table

    outbox(id bigint identity, event_id text, topic text, key text, type text, payload jsonb,
           traceparent text, created_at timestamptz, sequence bigint, published_at timestamptz,
           unique (topic, sequence))

and indexes of the ids of rows without `sequence` and of rows without `published_at`.

`sequence` counts without gaps for each owner and topic. The relay gives it, and commits it before the row is
sent: an identity column would leave a gap at each rollback, a counter in the change's own transaction would
make all payments wait for one row. The audit trail proves by it that nothing is missing.
Delivery is at least once; consumers drop duplicates by event id.

Published rows stay for ever unless the owner names a retention: confirm-service names none, since the history
of a payment is read from its outbox. A role that prunes needs the right to DELETE. The row with the highest
sequence of each topic always stays, so that the count goes on from there.
"""

import math
import time
from datetime import timedelta

import asyncpg
import msgspec

from payments.common.background import Loop
from payments.common.clock import rfc3339
from payments.common.db import Database
from payments.common.kafka import Message, Producer

BATCH = 500
IDLE_SECONDS = 0.5
RETENTION = timedelta(days=30)
PRUNE_BATCH = 1000
PRUNE_SECONDS = 3600.0


class Numbering:
    """Gives the rows of a schema's outbox their sequence, in the order in which they were committed."""

    def __init__(self, schema: str) -> None:
        self.lock = f"SELECT pg_try_advisory_xact_lock(hashtext('{schema}.outbox'))"
        self._due = f"SELECT EXISTS (SELECT FROM {schema}.outbox WHERE sequence IS NULL)"  # noqa: S608
        self._number = f"""
            WITH next AS (
                SELECT id, topic, row_number() OVER (PARTITION BY topic ORDER BY id) AS n
                FROM (SELECT id, topic FROM {schema}.outbox
                      WHERE sequence IS NULL ORDER BY id LIMIT {BATCH}) AS unnumbered),
            last AS (
                SELECT topic, (SELECT coalesce(max(sequence), 0) FROM {schema}.outbox
                               WHERE outbox.topic = topics.topic) AS n
                FROM (SELECT DISTINCT topic FROM next) AS topics)
            UPDATE {schema}.outbox SET sequence = last.n + next.n
            FROM next JOIN last USING (topic) WHERE outbox.id = next.id"""  # noqa: S608

    async def number(self, database: Database) -> bool:
        """Number up to BATCH rows; False when somebody else is at work. Raises Problem."""
        async with database.transaction() as connection:
            if not await connection.fetchval(self.lock):
                return False
            await connection.execute(self._number)
        return True

    async def number_due(self, database: Database) -> None:
        """Number what nobody has numbered yet, at the cost of one look when there is nothing."""
        if await database.fetchval(self._due):
            await self.number(database)


class Relay(Loop):
    """Moves a schema's outbox to Kafka in order. `wake()` after a commit spares the wait of up to 0.5 s.

    One relay at a time works on a schema (an advisory lock), so the order of each key is kept.

    Args:
        source: the events' `source`, the name of the service.
        retention: rows published longer ago are deleted, once an hour in small batches between the events;
            None keeps them all.
    """

    def __init__(
        self,
        database: Database,
        producer: Producer,
        *,
        schema: str,
        source: str,
        retention: timedelta | None = None,
    ) -> None:
        super().__init__(f"outbox relay of {schema}", self._relay)
        self._database = database
        self._producer = producer
        self._source = source
        self._retention = retention
        self._prune_at = math.inf if retention is None else 0.0
        self._numbering = Numbering(schema)
        self._pending = f"SELECT EXISTS (SELECT FROM {schema}.outbox WHERE published_at IS NULL)"  # noqa: S608
        self._select = f"""
            SELECT id, event_id, topic, key, type, payload, traceparent, created_at, sequence
            FROM {schema}.outbox WHERE published_at IS NULL AND sequence IS NOT NULL
            ORDER BY id LIMIT {BATCH}"""  # noqa: S608
        self._publish = f"UPDATE {schema}.outbox SET published_at = now() WHERE id = ANY($1)"  # noqa: S608
        # The oldest by id are the first in the table, so no index of published_at is needed.
        self._prune = f"""
            DELETE FROM {schema}.outbox WHERE id IN (
                SELECT id FROM (SELECT id, topic, sequence, published_at FROM {schema}.outbox
                                ORDER BY id LIMIT {PRUNE_BATCH}) AS oldest
                WHERE published_at < now() - $1::interval
                    AND sequence < (SELECT max(sequence) FROM {schema}.outbox
                                    WHERE outbox.topic = oldest.topic))"""  # noqa: S608

    async def _relay(self) -> float:
        if time.monotonic() >= self._prune_at:
            await self._prune_some()
        if not await self._database.fetchval(self._pending):
            return IDLE_SECONDS
        if not await self._numbering.number(self._database):
            return IDLE_SECONDS
        async with self._database.transaction() as connection:
            if not await connection.fetchval(self._numbering.lock):
                return IDLE_SECONDS
            rows = await connection.fetch(self._select)
            if rows:
                await self._producer.send([message(row, self._source) for row in rows])
                await connection.execute(self._publish, [row["id"] for row in rows])
        return 0

    async def _prune_some(self) -> None:
        # Set first: events do not wait for a prune that fails.
        self._prune_at = time.monotonic() + PRUNE_SECONDS
        async with self._database.transaction() as connection:
            if not await connection.fetchval(self._numbering.lock):
                return
            deleted = int((await connection.execute(self._prune, self._retention)).split()[-1])
        if deleted > PRUNE_BATCH // 2:  # a batch is never quite full while a kept row lies in it
            self._prune_at = 0.0


def message(row: asyncpg.Record, source: str) -> Message:
    """An outbox row as it goes to Kafka: a CloudEvent of `source`."""
    event = {
        "specversion": "1.0",
        "id": row["event_id"],
        "source": source,
        "type": row["type"],
        "subject": row["key"],
        "time": rfc3339(row["created_at"]),
        "datacontenttype": "application/json",
        "sequence": str(row["sequence"]),
        "data": msgspec.Raw(row["payload"].encode()),
    }
    headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    if row["traceparent"]:
        event["traceparent"] = row["traceparent"]
        headers.append(("traceparent", row["traceparent"].encode()))
    return Message(row["topic"], row["key"].encode(), msgspec.json.encode(event), headers)
