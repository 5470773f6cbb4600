"""What is proven of the running sample after its customers have paid through a fault."""

import asyncio
import json

from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.support.faults import zeros
from tests.support.faults.load import Load
from tests.support.faults.world import World

# A message whose sender was killed goes out when its claim has run out, a minute later.
TOLD_WITHIN = 150.0


async def proven(world: World, load: Load) -> str:
    """No money lost or doubled, every end true, every effect once; what the customers saw. AssertionError."""
    settled = await world.nothing_open(TOLD_WITHIN)
    told = await world.everything_told(TOLD_WITHIN)
    found = await world.violations({**zeros.MONEY, **zeros.EFFECTS})
    assert not found, found
    assert not world.told.undocumented, world.told.undocumented[:10]
    await world.every_end_is_true(load.outcomes)
    slowest = max(outcome.seconds for outcome in load.outcomes)
    again = sum(count for status, count in world.told.statuses.items() if status == 0 or status >= 500)
    return (
        f"{len(load.outcomes)} payments, all succeeded, slowest {slowest:.0f} s, {again} answers of "
        f"{world.told.statuses.total()} repeated; all books closed {settled + told:.0f} s after"
    )


async def lost_events(cluster: Cluster, world: World) -> tuple[int, dict[str, set[str]]]:
    """How many events owners have published; by topic those that Kafka does not hold."""
    rows = await world.sql(zeros.EVENTS)
    topics = ("payment-events", "notification-events")
    read = await asyncio.gather(*(_in_kafka(cluster, topic) for topic in topics))
    missing = {}
    for topic, held in zip(topics, read, strict=True):
        if lost := {row["event_id"] for row in rows if row["topic"] == topic} - held:
            missing[topic] = lost
    return len(rows), missing


async def _in_kafka(cluster: Cluster, topic: str) -> set[str]:
    """Ids of all events of a topic."""
    records = await asyncio.to_thread(
        cluster.kubectl,
        *("-n", NAMESPACE, "exec", "kafka-0", "--", "/opt/kafka/bin/kafka-console-consumer.sh"),
        *("--bootstrap-server", "kafka:9092", "--topic", topic, "--from-beginning", "--timeout-ms", "8000"),
    )
    return {json.loads(line)["id"] for line in records.splitlines() if line.startswith("{")}
