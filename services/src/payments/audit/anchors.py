"""Anchors: the chain's head, noted in a Kafka topic where whoever may write the database cannot reach it.

Truncating the trail, or rewriting it with new hashes from end to end, leaves a chain that is whole in itself;
but the entries that were anchored before are not in it any more.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from payments.audit.domain import Head
from payments.audit.store import Store
from payments.common.background import Loop
from payments.common.brokers import Brokers
from payments.common.errors import Problem
from payments.common.kafka import Message, Producer
from payments.contracts.event import AUDIT_ANCHORS

log = logging.getLogger(__name__)

#: Said again though nothing is new, so that a topic that was lost fills again.
REPEAT_SECONDS = 3600.0
READ_SECONDS = 120.0


class Anchor(msgspec.Struct, frozen=True):
    """An entry of the chain as it was at `time`, and how many entries there were up to it."""

    sequence: int
    hash: str
    count: int
    time: datetime


class Anchorer(Loop):
    """Publishes the head every `seconds` when it has moved, and at shutdown.

    Several replicas may say the same; that is harmless.
    """

    def __init__(self, store: Store, producer: Producer, *, seconds: float) -> None:
        super().__init__("anchors of the audit trail", self._anchor)
        self._store = store
        self._producer = producer
        self._seconds = seconds
        self._last = Head()
        self._count = 0
        self._repeat_at = 0.0

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        try:
            async with asyncio.timeout(5):
                await self._anchor()
        except (Problem, KafkaError, TimeoutError, OSError) as problem:
            # The next replica, or this one when it starts again, anchors it.
            log.warning("the head was not anchored at shutdown: %r", problem)

    async def _anchor(self) -> float:
        head, more = await self._store.growth(self._last.seq)
        moved = head != self._last
        if head.seq > 0 and (moved or time.monotonic() > self._repeat_at):
            count = self._count + more
            anchor = Anchor(head.seq, head.hash, count, datetime.now(UTC))
            await self._producer.send([Message(AUDIT_ANCHORS, b"audit", msgspec.json.encode(anchor))])
            self._last, self._count = head, count
            self._repeat_at = time.monotonic() + REPEAT_SECONDS
        return self._seconds


async def read(brokers: Brokers) -> list[Anchor]:
    """All anchors up to now, oldest first.

    Raises:
        KafkaError, TimeoutError, OSError: not all could be read.
        ValueError: something in the topic is no anchor.
    """
    consumer = AIOKafkaConsumer(  # without a group: all partitions
        AUDIT_ANCHORS,
        **brokers.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with asyncio.timeout(READ_SECONDS):
        await consumer.start()
        try:
            return await _read(consumer)
        finally:
            await consumer.stop()


async def _read(consumer: AIOKafkaConsumer) -> list[Anchor]:
    decoder = msgspec.json.Decoder(Anchor)
    ends = await consumer.end_offsets(consumer.assignment())
    anchors: list[Anchor] = []
    for partition, end in ends.items():
        while await consumer.position(partition) < end:
            records = await consumer.getmany(partition, timeout_ms=1000, max_records=5000)
            anchors += [decoder.decode(record.value) for record in records.get(partition, ())]
    return sorted(anchors, key=lambda anchor: anchor.time)
