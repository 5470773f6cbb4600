"""An owner's outbox as the tests write it, relay it and find it again in Kafka."""

import asyncio
import json
import random
import secrets
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer

from hack.dev.catalog import REPOSITORY, python
from hack.dev.stack import Stack
from payments.common.db import Database
from payments.common.ids import new_id
from payments.common.kafka import Producer
from payments.common.outbox import Relay
from payments.common.settings import DatabaseSettings
from payments.contracts.event import NOTIFICATION_EVENTS, PAYMENT_EVENTS
from tests.support.internal_calls import Pool, eventually

TOPICS = (PAYMENT_EVENTS, NOTIFICATION_EVENTS)
WRITERS, TRANSACTIONS = 8, 60


class Outbox:
    """The outbox of a schema; its events' `source` is one that no other test has."""

    def __init__(self, stack: Stack, admin: Pool, schema: str) -> None:
        self.stack = stack
        self.admin = admin
        self.schema = schema
        self.table = f"{schema}.outbox"
        self.source = f"test-{secrets.token_hex(6)}"
        self.kafka = "{}:{}".format(*stack.servers.kafka)

    @asynccontextmanager
    async def relays(
        self, count: int = 1, *, retention: timedelta | None = None, kafka: str = ""
    ) -> AsyncIterator[None]:
        """Relays at work, each with connections of its own, as the owner's role."""
        host, port = self.stack.servers.postgres
        settings = DatabaseSettings.model_validate(
            {
                "database_host": host,
                "database_port": port,
                "database_name": self.stack.servers.database,
                "database_user": self.schema,
                "database_password": f"dev-{self.schema}",
            }
        )
        async with AsyncExitStack() as exits:
            for number in range(count):
                database = await exits.enter_async_context(Database(settings, application="test"))
                producer = await exits.enter_async_context(
                    Producer(kafka or self.kafka, client_id=f"test-{number}", timeout=3)
                )
                relay = Relay(database, producer, schema=self.schema, source=self.source, retention=retention)
                await exits.enter_async_context(relay)
            yield

    async def relay_process(self) -> asyncio.subprocess.Process:
        """A relay in a process of its own, for a test to kill."""
        host, port = self.stack.servers.postgres
        return await asyncio.create_subprocess_exec(
            python(),
            *("-m", "tests.integration.common.relay_process", self.source),
            cwd=REPOSITORY,
            env={
                "PYTHONPATH": f"{REPOSITORY / 'services/src'}:{REPOSITORY}",
                "DATABASE_HOST": host,
                "DATABASE_PORT": str(port),
                "DATABASE_NAME": self.stack.servers.database,
                "DATABASE_USER": self.schema,
                "DATABASE_PASSWORD": f"dev-{self.schema}",
                "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            },
        )

    async def write(self, connection: Any, topic: str, key: str = "key") -> str:
        """A row in the connection's transaction; returns its event id."""
        event_id = new_id()
        await connection.execute(
            f"""INSERT INTO {self.table} (event_id, topic, key, type, payload)
                VALUES ($1, $2, $3, 'x', '{{}}')""",
            event_id,
            topic,
            key,
        )
        return event_id

    async def sent(self, *, seconds: float = 60) -> None:
        """Wait until every row is published."""

        async def none_waits() -> bool:
            return not await self.admin.fetchval(
                f"SELECT count(*) FROM {self.table} WHERE published_at IS NULL"
            )

        await eventually("all rows are published", none_waits, seconds=seconds)

    async def numbers(self) -> dict[str, dict[str, int]]:
        """topic -> event id -> sequence, of all rows."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for row in await self.admin.fetch(f"SELECT topic, event_id, sequence FROM {self.table}"):
            found[row["topic"]][row["event_id"]] = row["sequence"]
        return found

    async def delivered(self, kafka: str = "") -> dict[str, list[dict[str, Any]]]:
        """topic -> this outbox's events as they lie in Kafka, in order within each key."""
        found: dict[str, list[dict[str, Any]]] = {}
        for topic in TOPICS:
            consumer = AIOKafkaConsumer(
                topic, bootstrap_servers=kafka or self.kafka, auto_offset_reset="earliest"
            )
            async with asyncio.timeout(30):
                await consumer.start()
                try:
                    ends = await consumer.end_offsets(consumer.assignment())
                    events = []
                    while any([await consumer.position(at) < end for at, end in ends.items()]):
                        for records in (await consumer.getmany(timeout_ms=500)).values():
                            events += [
                                json.loads(record.value) for record in records if b"spec" in record.value
                            ]
                finally:
                    await consumer.stop()
            found[topic] = [event for event in events if event["source"] == self.source]
        return found


class Rollback(Exception):
    """What a writer changes its mind with."""


async def _writer(outbox: Outbox, number: int) -> dict[str, list[str]]:
    """Transactions of several rows, a third of them rolled back; returns what was committed."""
    dice = random.Random(number)
    kept: dict[str, list[str]] = defaultdict(list)
    async with outbox.admin.acquire() as connection:
        for _ in range(TRANSACTIONS):
            written = []
            try:
                async with connection.transaction():
                    for _ in range(dice.randint(1, 4)):
                        topic = dice.choice(TOPICS)
                        written.append((topic, await outbox.write(connection, topic, f"key-{number}")))
                        await asyncio.sleep(dice.choice((0, 0, 0.02)))
                    if dice.random() < 1 / 3:
                        raise Rollback
            except Rollback:
                continue
            for topic, event_id in written:
                kept[topic].append(event_id)
    return kept


async def write_in_parallel(outbox: Outbox) -> dict[str, set[str]]:
    """topic -> event ids committed by all writers."""
    committed: dict[str, set[str]] = {topic: set() for topic in TOPICS}
    for kept in await asyncio.gather(*(_writer(outbox, number) for number in range(WRITERS))):
        for topic, event_ids in kept.items():
            committed[topic].update(event_ids)
    return committed


async def check(outbox: Outbox, committed: dict[str, set[str]], kafka: str = "") -> Counter[str]:
    """Every committed row is numbered and in Kafka, and nothing else; returns each event's copies."""
    numbers = await outbox.numbers()
    delivered = await outbox.delivered(kafka)
    copies: Counter[str] = Counter()
    for topic in TOPICS:
        assert set(numbers[topic]) == committed[topic]
        assert sorted(numbers[topic].values()) == list(range(1, len(committed[topic]) + 1))
        assert {event["id"]: int(event["sequence"]) for event in delivered[topic]} == numbers[topic]
        copies.update(event["id"] for event in delivered[topic])
        assert _first_of_each(delivered[topic]) == await _in_order_of_writing(outbox, topic)
    return copies


def _first_of_each(events: list[dict[str, str]]) -> dict[str, list[str]]:
    """key -> ids of its events in order, each at its first place."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for event in events:
        found[event["subject"]].setdefault(event["id"])
    return {key: list(ids) for key, ids in found.items()}


async def _in_order_of_writing(outbox: Outbox, topic: str) -> dict[str, list[str]]:
    rows = await outbox.admin.fetch(
        f"""SELECT key, array_agg(event_id ORDER BY id) AS ids
            FROM {outbox.table} WHERE topic = $1 GROUP BY key""",
        topic,
    )
    return {row["key"]: row["ids"] for row in rows}
