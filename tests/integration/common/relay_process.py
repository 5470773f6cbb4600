"""A relay in a process of its own, to be killed: python -m tests.integration.common.relay_process SOURCE.

Connections come from the environment, as in a pod.
"""

import asyncio
import sys

from payments.common.db import Database
from payments.common.kafka import Producer
from payments.common.outbox import Relay
from payments.common.settings import DatabaseSettings, KafkaSettings


class Settings(DatabaseSettings, KafkaSettings):
    """Where everything is."""


async def main(source: str) -> None:
    """Relay until killed."""
    settings = Settings()  # type: ignore[call-arg]  # filled from the environment
    database = Database(settings, application="test")
    producer = Producer(settings.kafka_bootstrap_servers, client_id="test", timeout=3)
    async with database, producer, Relay(database, producer, schema=settings.database_user, source=source):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
