"""Publishes an owner's events from its outbox once more, with the same ids and sequence numbers.

For a topic that was lost or a consumer that begins anew. Events that were never published are left to the
relay. Rows go out in the order in which they were written; each progress line names the row to go on after.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from payments.common.brokers import Brokers
from payments.common.db import Database
from payments.common.kafka import Producer
from payments.common.outbox import BATCH, message
from payments.common.settings import DatabaseSettings

# Service, which is the events' source -> schema of its outbox.
SCHEMAS = {
    "api-gateway": "gateway",
    "confirm-service": "payments",
    "otp-service": "otp",
    "account-service": "accounts",
    "ofac-service": "ofac",
    "kyc-service": "kyc",
}

Say = Callable[[str], None]


class Wanted(NamedTuple):
    """Which rows: written in `since` <= time < `until`, with an id over `after`."""

    service: str
    since: datetime
    until: datetime | None = None
    after: int = 0
    event_id: str | None = None
    limit: int | None = None
    dry_run: bool = False


async def replay(settings: DatabaseSettings, brokers: Brokers, wanted: Wanted, say: Say) -> int:
    """Returns how many were sent (or would be). Raises Problem, PostgresError, KafkaError, OSError."""
    select = f"""
        SELECT id, event_id, topic, key, type, payload, traceparent, created_at, sequence
        FROM {SCHEMAS[wanted.service]}.outbox
        WHERE id > $1 AND published_at IS NOT NULL AND created_at >= $2
            AND ($3::timestamptz IS NULL OR created_at < $3) AND ($4::text IS NULL OR event_id = $4)
        ORDER BY id LIMIT $5"""  # noqa: S608
    done, after = 0, wanted.after
    counts: Counter[str] = Counter()
    async with (
        Database(settings, application="replay", timeout=60) as database,
        Producer(brokers, client_id="replay") as producer,
    ):
        while (size := BATCH if wanted.limit is None else min(BATCH, wanted.limit - done)) > 0:
            rows = await database.fetch(select, after, wanted.since, wanted.until, wanted.event_id, size)
            if not rows:
                break
            if not wanted.dry_run:
                await producer.send([message(row, wanted.service) for row in rows])
            counts.update(row["topic"] for row in rows)
            done, after = done + len(rows), rows[-1]["id"]
            say(f"{done} events, the last of {rows[-1]['created_at']:%Y-%m-%dT%H:%M:%SZ}; --after {after}")
            if len(rows) < size:
                break
    for topic, count in sorted(counts.items()):
        say(f"{topic}: {count}")
    return done
