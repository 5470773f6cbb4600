"""Settings of kyc-service."""

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Everything that kyc-service reads from its environment."""
