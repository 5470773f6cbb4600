"""Creates the Kafka topics that are missing; run by a Job, safe to run again."""

import asyncio
import logging
import sys
import time

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError
from pydantic import Field

from payments.common import logs
from payments.common.settings import KafkaSettings
from payments.contracts.event import AUDIT_ANCHORS, TOPICS

log = logging.getLogger("payments.topics")
_FOREVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}


class Settings(KafkaSettings):
    """Settings of the topics Job."""

    topic_partitions: int = Field(default=3, ge=1)
    topic_replication: int = Field(default=1, ge=1)
    topic_min_insync_replicas: int = Field(default=1, ge=1)
    wait_seconds: float = Field(default=120, description="How long the brokers may take to answer.")


async def create(settings: Settings) -> None:
    """Create every topic of TOPICS that does not exist. Raises KafkaError or OSError."""
    admin = AIOKafkaAdminClient(**settings.brokers.options(), client_id="topics")
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [
            NewTopic(
                name,
                1 if name == AUDIT_ANCHORS else settings.topic_partitions,
                settings.topic_replication,
                topic_configs={"min.insync.replicas": str(settings.topic_min_insync_replicas)}
                | (_FOREVER if name == AUDIT_ANCHORS else {}),
            )
            for name in TOPICS
            if name not in existing
        ]
        if missing:
            response = await admin.create_topics(missing, timeout_ms=10_000)
            for topic, code, *_ in response.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise KafkaError(f"topic {topic} was not created, error {code}")
        log.info("%d topics created, %d were there", len(missing), len(TOPICS) - len(missing))
    finally:
        await admin.close()


def main() -> int:
    """Create the topics, waiting for the brokers; 0 when all exist."""
    logs.configure("topics", "INFO")
    settings = Settings()  # type: ignore[call-arg]  # filled from the environment
    end = time.monotonic() + settings.wait_seconds
    while True:
        try:
            asyncio.run(asyncio.wait_for(create(settings), 30))
            return 0
        except (KafkaError, OSError, TimeoutError) as error:
            if time.monotonic() > end:
                log.error("Kafka did not take the topics: %r", error)
                return 1
            log.info("waiting for Kafka: %r", error)
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
