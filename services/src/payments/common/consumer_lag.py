"""How far a consumer group is behind its topic, asked of the brokers: true while the consumer hangs, too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from payments.common import metrics
from payments.common.brokers import Brokers
from payments.common.sampling import Sample

LAG = metrics.gauge(
    "payments_consumer_lag_messages",
    "Messages of a topic that a group has not processed; the same in all pods.",
    ["topic", "group"],
)
_TIMEOUT_MS = 5000


def consumer_lag(brokers: Brokers, *, topic: str, group: str) -> Sample:
    """The lag of `group` in `topic`.

    Connects for each sample (a few milliseconds): a connection that is kept would have to be watched over.
    """

    async def take() -> None:
        async with _reader(brokers) as reader, _admin(brokers) as admin:
            (described,) = await admin.describe_topics([topic])
            partitions = [TopicPartition(topic, each["partition"]) for each in described["partitions"]]
            ends = await reader.end_offsets(partitions)
            begins = await reader.beginning_offsets(partitions)
            done = await admin.list_consumer_group_offsets(group, partitions=partitions)
        LAG.labels(topic, group).set(sum(behind(ends[p], begins[p], done[p].offset) for p in partitions))

    return Sample("consumer lag", take)


def behind(end: int, begin: int, committed: int) -> int:
    """Messages from the committed offset (-1: none yet) to the end, of those that are still there."""
    return max(0, end - max(begin, committed))


@asynccontextmanager
async def _reader(brokers: Brokers) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(**brokers.options(), group_id=None, request_timeout_ms=_TIMEOUT_MS)
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


@asynccontextmanager
async def _admin(brokers: Brokers) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**brokers.options(), request_timeout_ms=_TIMEOUT_MS)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
