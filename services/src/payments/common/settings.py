"""Settings that several services share; each service has a class of its own built from these parts.

The environment is read once, in `payments.run`; everything else gets the values as arguments.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from payments.common.brokers import Brokers, trusting
from payments.common.logs import Level

Profile = Literal["dev", "staging", "production"]


class ServiceSettings(BaseSettings):
    """Settings of every service: its name, its port, who it is and whom it answers."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    service: str = Field(description="Name of the Deployment, e.g. confirm-service.")
    http_host: str = Field(default="0.0.0.0", description="Address to listen on.")
    http_port: int = Field(ge=1, le=65535)
    platform_profile: Profile = "production"
    log_level: Level = "INFO"
    log_level_file: Path | None = Field(
        default=None, description="Holds the level that counts, and may change; none: log_level."
    )
    pod_name: str = "local"
    service_version: str = "0"
    otel_exporter_otlp_endpoint: str = Field(
        default="",
        pattern=r"^(|https?://\S+)$",
        description="Base URL of a collector of traces (OTLP over HTTP); empty: no traces.",
    )
    otel_exporter_otlp_authorization: SecretStr = Field(
        default=SecretStr(""), description="Header of that name for the collector; empty: none."
    )
    otel_traces_sampler_arg: float = Field(
        default=1.0, ge=0, le=1, description="Share of the traces begun here that is recorded."
    )
    shutdown_delay_seconds: float = Field(
        default=5.0,
        ge=0,
        le=20,
        description="Between failing readiness and draining; covers the endpoints' delay.",
    )
    request_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Longest a request may take when its caller sends no deadline."
    )
    metrics_sample_seconds: float = Field(
        default=15.0, gt=0, description="Between two looks at what only the database or Kafka can tell."
    )

    identity_issuer_file: Path = Path("/etc/payment-platform/identity/issuer")
    identity_jwks_file: Path = Path("/etc/payment-platform/identity/jwks.json")
    identity_token_file: Path = Path("/var/run/secrets/payment-platform/token")
    identity_namespace: str = "default"
    allowed_callers: str = Field(default="", description="Comma-separated Deployment names.")
    gateway_jwks_file: Path = Path("/etc/payment-platform/gateway-jwks/jwks.json")
    key_reload_seconds: float = Field(
        default=10.0, gt=0, le=60, description="Between two looks at mounted keys, which rotate."
    )

    @property
    def callers(self) -> frozenset[str]:
        """Names of the services whose calls are answered."""
        return frozenset(name.strip() for name in self.allowed_callers.split(",") if name.strip())


class DatabaseSettings(BaseSettings):
    """Where PostgreSQL is and as whom to log in."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    database_host: str
    database_port: int = 5432
    database_name: str = "payment_db"
    database_user: str
    database_password: SecretStr
    database_pool_max: int = Field(default=5, ge=1, le=200)


class RedisSettings(BaseSettings):
    """Where Redis is. It holds nothing that must not be lost."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    redis_host: str
    redis_port: int = 6379
    redis_password: SecretStr


class KafkaSettings(BaseSettings):
    """Where Kafka is, and what it asks for."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    kafka_bootstrap_servers: str
    kafka_tls: bool = False
    kafka_ca: str = Field(default="", description="Its authority's certificate in PEM; empty: the system's.")
    kafka_sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    kafka_username: str = Field(default="", description="Empty: it asks for no login.")
    kafka_password: SecretStr = SecretStr("")

    @property
    def brokers(self) -> Brokers:
        """For the clients. Raises ssl.SSLError when the authority's certificate is none."""
        return Brokers(
            self.kafka_bootstrap_servers,
            trusting(self.kafka_ca) if self.kafka_tls else None,
            self.kafka_sasl_mechanism,
            self.kafka_username,
            self.kafka_password.get_secret_value(),
        )
