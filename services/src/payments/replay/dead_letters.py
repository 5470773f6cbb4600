"""Sends what lies in a dead-letter topic to its own topic once more, oldest first in each partition.

Only what lies there now: a message that is poison again comes back to the end and waits for the next run.
How far it came is kept in Kafka (group replay-<topic>), so an interrupted run goes on where it was; messages
after the last progress line may be sent twice, which consumers do not mind.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from payments.common.brokers import Brokers
from payments.common.kafka import Message, Producer
from payments.contracts.event import decode

SUFFIX = ".dlq"
BATCH = 100

Say = Callable[[str], None]


class Wanted(NamedTuple):
    """What to send: `event_id` looks through everything, whatever was sent before."""

    topic: str
    event_id: str | None = None
    limit: int | None = None
    dry_run: bool = False
    from_beginning: bool = False


async def replay(brokers: Brokers, wanted: Wanted, say: Say) -> int:
    """Returns how many were sent (or would be). Raises KafkaError, OSError or TimeoutError."""
    places = await _partitions(brokers, wanted.topic)
    consumer = AIOKafkaConsumer(
        **brokers.options(),
        group_id=f"replay-{wanted.topic}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        consumer.assign(places)
        if wanted.event_id or wanted.from_beginning:
            await consumer.seek_to_beginning(*places)
        async with Producer(brokers, client_id="replay") as producer:
            return await _Run(consumer, producer, wanted, say).all(places)
    finally:
        await consumer.stop()


async def _partitions(brokers: Brokers, topic: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**brokers.options(), client_id="replay")
    try:
        await admin.start()
        (found,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    if found["error_code"]:
        raise OSError(f"Kafka does not know the topic {topic} (error {found['error_code']})")
    return [TopicPartition(topic, part["partition"]) for part in found["partitions"]]


class _Run:
    """One run over the partitions."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: Producer, wanted: Wanted, say: Say) -> None:
        self._consumer = consumer
        self._producer = producer
        self._wanted = wanted
        self._say = say
        self._done = 0

    async def all(self, places: list[TopicPartition]) -> int:
        """Every partition up to where it ends now."""
        for place, end in (await self._consumer.end_offsets(places)).items():
            while not self._full and await self._consumer.position(place) < end:
                found = await self._consumer.getmany(place, timeout_ms=1000, max_records=BATCH)
                await self._batch(place, [r for r in found.get(place, []) if r.offset < end])
        return self._done

    @property
    def _full(self) -> bool:
        limit = 1 if self._wanted.event_id else self._wanted.limit
        return limit is not None and self._done >= limit

    async def _batch(self, place: TopicPartition, records: list[ConsumerRecord]) -> None:
        chosen: list[ConsumerRecord] = []
        position = 0
        for record in records:
            if self._full:
                break
            position = record.offset + 1
            if self._wanted.event_id in (None, _event_id(record)):
                chosen.append(record)
                self._done += 1
        if not position:
            return
        if self._wanted.dry_run:
            for record in chosen:
                self._say(f"{place.partition}/{record.offset} {_event_id(record)}: {_reason(record)}")
            return
        await self._producer.send([_again(record) for record in chosen])
        if not self._wanted.event_id:
            await self._consumer.commit({place: position})
        if chosen:
            self._say(f"{self._done} sent, partition {place.partition} up to {position}")


def _again(record: ConsumerRecord) -> Message:
    """The record for the topic that it was meant for, with a note."""
    headers = [(name, value) for name, value in record.headers if name not in ("error", "replayed")]
    replayed = [value for name, value in record.headers if name == "replayed"]
    times = int(replayed[0]) + 1 if replayed else 1
    headers.append(("replayed", str(times).encode()))
    topic = record.topic.removesuffix(SUFFIX)
    return Message(topic, record.key or b"", record.value or b"", headers)


def _event_id(record: ConsumerRecord) -> str:
    try:
        return decode(record.value or b"").id
    except msgspec.DecodeError:
        return "no event"


def _reason(record: ConsumerRecord) -> str:
    told = [value.decode(errors="replace") for name, value in record.headers if name == "error"]
    return told[-1] if told else "no reason noted"
