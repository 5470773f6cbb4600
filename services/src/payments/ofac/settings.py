"""Settings of ofac-service."""

from pydantic import Field

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Everything that ofac-service reads from its environment."""

    review_threshold: float = Field(0.85, ge=0.5, le=1, description="Score from which a person must look.")
    match_threshold: float = Field(0.95, ge=0.5, le=1, description="Score from which a payment is refused.")
