"""Metrics of Kafka for Prometheus: brokers, topics, replicas, and how far each consumer group is behind.

``python3 -m payments.kafka_exporter`` serves GET /metrics. Names are those of the exporter that most
dashboards know (kafka_brokers, kafka_consumergroup_lag …, github.com/danielqsl/kafka_exporter). Asked at
most once in ten seconds, whoever scrapes how often; while no broker answers, ``kafka_up`` is 0 and the rest
is left out.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

import uvicorn
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payments.common import logs
from payments.common.brokers import Brokers
from payments.common.settings import KafkaSettings

log = logging.getLogger("payments.kafka_exporter")
KEEP_SECONDS = 10.0
TIMEOUT_SECONDS = 8.0


class Settings(KafkaSettings):
    """Settings of the exporter."""

    http_port: int = Field(default=9308, ge=1, le=65535)


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition as its leader tells: offsets of the first and after the last record."""

    topic: str
    number: int
    replicas: int
    in_sync: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a group has read a partition."""

    group: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Picture:
    """What Kafka says at one moment; ``brokers`` is 0 when none answered."""

    brokers: int = 0
    partitions: tuple[Partition, ...] = ()
    positions: tuple[Position, ...] = ()


async def look(brokers: Brokers) -> Picture:
    """Ask Kafka. Raises KafkaError, OSError."""
    admin = AIOKafkaAdminClient(**brokers.options(), client_id="kafka-exporter")
    consumer = AIOKafkaConsumer(**brokers.options(), client_id="kafka-exporter", enable_auto_commit=False)
    try:
        await admin.start()
        await consumer.start()
        topics = await admin.describe_topics()
        known = {
            TopicPartition(topic["topic"], part["partition"]): part
            for topic in topics
            if not topic.get("is_internal")
            for part in topic["partitions"]
        }
        first = await consumer.beginning_offsets(list(known))
        end = await consumer.end_offsets(list(known))
        partitions = tuple(
            Partition(
                where.topic,
                where.partition,
                len(part["replicas"]),
                len(part["isr"]),
                first[where],
                end[where],
            )
            for where, part in known.items()
        )
        positions = [
            Position(group, where.topic, where.partition, position.offset)
            for group, *_ in await admin.list_consumer_groups()
            for where, position in (await admin.list_consumer_group_offsets(group)).items()
            if where in known and position.offset >= 0
        ]
        cluster = await admin.describe_cluster()
        return Picture(len(cluster["brokers"]), partitions, tuple(positions))
    finally:
        await consumer.stop()
        await admin.close()


def metrics(picture: Picture) -> Iterable[Metric]:
    """The picture as metrics. Pure."""
    yield GaugeMetricFamily("kafka_up", "1 when a broker answered.", 1 if picture.brokers else 0)
    if not picture.brokers:
        return
    yield GaugeMetricFamily("kafka_brokers", "Brokers that are there.", picture.brokers)
    place = ["topic", "partition"]
    end = GaugeMetricFamily(
        "kafka_topic_partition_current_offset", "Offset after the last record.", labels=place
    )
    first = GaugeMetricFamily(
        "kafka_topic_partition_oldest_offset", "Offset of the first record.", labels=place
    )
    replicas = GaugeMetricFamily("kafka_topic_partition_replicas", "Replicas.", labels=place)
    in_sync = GaugeMetricFamily("kafka_topic_partition_in_sync_replica", "Replicas in sync.", labels=place)
    under = GaugeMetricFamily(
        "kafka_topic_partition_under_replicated_partition", "1 when a replica is not in sync.", labels=place
    )
    for item in picture.partitions:
        labels = [item.topic, str(item.number)]
        end.add_metric(labels, item.end)
        first.add_metric(labels, item.first)
        replicas.add_metric(labels, item.replicas)
        in_sync.add_metric(labels, item.in_sync)
        under.add_metric(labels, 1 if item.in_sync < item.replicas else 0)
    yield from (end, first, replicas, in_sync, under)
    grouped = ["consumergroup", *place]
    offset = GaugeMetricFamily(
        "kafka_consumergroup_current_offset", "Next record of a group.", labels=grouped
    )
    lag = GaugeMetricFamily("kafka_consumergroup_lag", "Records that a group has not read.", labels=grouped)
    ends = {(item.topic, item.number): item.end for item in picture.partitions}
    for position in picture.positions:
        labels = [position.group, position.topic, str(position.partition)]
        offset.add_metric(labels, position.offset)
        # The end was asked before the position, so a quick group may seem ahead.
        lag.add_metric(labels, max(0, ends[position.topic, position.partition] - position.offset))
    yield from (offset, lag)


class Exporter:
    """GET /metrics with a picture not older than ``KEEP_SECONDS``; also the collector of its registry."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._lock = asyncio.Lock()
        self._picture = Picture()
        self._asked = float("-inf")
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The last picture."""
        return metrics(self._picture)

    async def endpoint(self, request: Request) -> Response:
        """All metrics, in the format that the scraper asks for."""
        async with self._lock:
            if time.monotonic() - self._asked > KEEP_SECONDS:
                try:
                    self._picture = await asyncio.wait_for(look(self._brokers), TIMEOUT_SECONDS)
                except (KafkaError, OSError, TimeoutError) as error:
                    log.warning("Kafka does not answer: %r", error)
                    self._picture = Picture()
                self._asked = time.monotonic()
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), 200, {"Content-Type": content_type})


def main() -> None:
    """Serve until a signal."""
    logs.configure("kafka-exporter", "INFO")
    settings = Settings()  # type: ignore[call-arg]  # filled from the environment
    exporter = Exporter(settings.brokers)
    app = Starlette(routes=[Route("/metrics", exporter.endpoint)])
    uvicorn.run(app, host="0.0.0.0", port=settings.http_port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
