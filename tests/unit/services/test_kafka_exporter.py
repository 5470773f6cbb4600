"""Metrics of Kafka from a picture of it."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from payments import kafka_exporter
from payments.common.brokers import Brokers
from payments.kafka_exporter import Exporter, Partition, Picture, Position, metrics

PICTURE = Picture(
    brokers=3,
    partitions=(Partition("payment-events", 0, 3, 3, 5, 20), Partition("payment-events", 1, 3, 2, 0, 7)),
    positions=(
        Position("audit-service", "payment-events", 0, 12),
        # The end was asked before: this group was quicker.
        Position("audit-service", "payment-events", 1, 9),
    ),
)


def values(picture: Picture) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in metrics(picture)
        for sample in metric.samples
    }


def test_a_picture_becomes_metrics() -> None:
    found = values(PICTURE)
    assert found["kafka_up",] == 1 and found["kafka_brokers",] == 3
    assert found["kafka_topic_partition_current_offset", "payment-events", "0"] == 20
    assert found["kafka_topic_partition_oldest_offset", "payment-events", "0"] == 5
    under = "kafka_topic_partition_under_replicated_partition"
    assert (found[under, "payment-events", "0"], found[under, "payment-events", "1"]) == (0, 1)
    lag = "kafka_consumergroup_lag"
    assert found[lag, "audit-service", "payment-events", "0"] == 8
    assert found[lag, "audit-service", "payment-events", "1"] == 0


def test_without_a_broker_it_says_so_and_no_more() -> None:
    assert values(Picture()) == {("kafka_up",): 0}


async def test_kafka_is_asked_once_for_many_scrapes_and_its_silence_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Brokers] = []

    async def look(brokers: Brokers) -> Picture:
        asked.append(brokers)
        if len(asked) > 1:
            raise OSError("refused")
        return PICTURE

    now = [100.0]
    monkeypatch.setattr(kafka_exporter, "look", look)
    monkeypatch.setattr("payments.kafka_exporter.time.monotonic", lambda: now[0])
    exporter = Exporter(Brokers("kafka:9092"))
    app = Starlette(routes=[Route("/metrics", exporter.endpoint)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://exporter") as client:

        async def scrape() -> str:
            answer = await client.get("/metrics")
            assert answer.status_code == 200
            return answer.text

        assert "kafka_up 1.0" in await scrape()
        assert "kafka_up 1.0" in await scrape()
        assert asked == [Brokers("kafka:9092")]
        now[0] += 11
        text = await scrape()
        assert "kafka_up 0.0" in text and "kafka_brokers" not in text
        assert len(asked) == 2
