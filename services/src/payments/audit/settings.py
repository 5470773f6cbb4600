"""Settings of audit-service."""

from pydantic import Field

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Everything that audit-service reads from its environment."""

    anchor_seconds: float = Field(
        default=60.0, gt=0, description="How often the chain's head is noted in Kafka when it has moved."
    )
