"""Settings of audit-service."""

from datetime import timedelta

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


class SearchSettings(BaseSettings):
    """Where the search engine is: OpenSearch or Elasticsearch 8."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    search_url: str = Field(
        default="", pattern="^(https?://.+)?$", description="scheme://host:port; empty: there is no index."
    )
    search_username: str = Field(default="", description="For HTTP Basic authentication; empty: none.")
    search_password: SecretStr = SecretStr("")
    search_retention_seconds: float = Field(
        default=90 * 86_400, gt=0, description="Older days are deleted from the index, not from PostgreSQL."
    )

    @property
    def search_retention(self) -> timedelta:
        """How long the index keeps an event."""
        return timedelta(seconds=self.search_retention_seconds)


class InfluxSettings(BaseSettings):
    """Where InfluxDB 2 is."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    influxdb_url: str = Field(
        default="",
        pattern="^(https?://.+)?$",
        description="scheme://host:port; empty: no points are written.",
    )
    influxdb_token: SecretStr = Field(default=SecretStr(""), description="May write to the bucket.")
    influxdb_org: str = "payment-org"
    influxdb_bucket: str = "payment-metrics"


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings, SearchSettings, InfluxSettings):
    """Everything that audit-service reads from its environment."""

    anchor_seconds: float = Field(
        default=60.0, gt=0, description="How often the chain's head is noted in Kafka when it has moved."
    )
