"""Settings of the confirm-service."""

from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import Field, field_validator

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings
from payments.confirm.webhooks import retries


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Where its peers are and how patient it is."""

    risk_service_url: str
    otp_service_url: str
    account_service_url: str
    partner_bank_api_url: str

    payment_expiry_hours: float = Field(24, gt=0, description="Unconfirmed payments are canceled after this.")
    idempotency_hours: float = Field(24, ge=24, description="How long answers are kept by their keys.")
    cleaning_seconds: float = Field(
        30, gt=0, description="Time between two rounds of expiring payments and deleting old keys."
    )
    lease_seconds: float = Field(
        20, ge=1, description="How long an attempt may take before the janitor goes on with the payment."
    )
    stuck_seconds: float = Field(
        300, gt=0, description="A payment whose outcome is not known for longer is stuck: somebody is told."
    )

    webhooks_enabled: bool = Field(True, description="Merchants are told of events by HTTP.")
    webhooks_allow_private: bool = Field(
        False, description="Webhooks may go to any address and port; for development and tests."
    )
    webhooks_denied: str = Field(
        "",
        description="Comma-separated networks that webhooks never go to, beyond private and special "
        "ones; for clusters whose pods or services have public addresses.",
    )
    webhooks_retry_seconds: str = Field(
        retries.DEFAULT, description="Comma-separated waits after failed attempts; see webhooks/retries.py."
    )
    webhooks_timeout_seconds: float = Field(10, gt=0, le=60, description="Longest an attempt may take.")
    webhooks_lease_seconds: float = Field(
        20, gt=0, description="How much longer a claim is good: time to write the result down."
    )
    webhooks_parallel: int = Field(4, ge=1, le=64, description="Attempts of one endpoint at a time.")
    webhooks_in_flight: int = Field(256, ge=1, le=4096, description="Attempts at a time in one pod.")
    webhooks_disable_after_hours: float = Field(
        120, gt=0, description="An endpoint that has only failed for so long is disabled."
    )
    webhooks_secret_overlap_hours: float = Field(
        24, gt=0, description="How long a rolled secret goes on signing beside the new one."
    )
    webhooks_retention_days: float = Field(
        30, gt=0, description="Events and deliveries are deleted after this time."
    )

    @property
    def webhook_denied_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`webhooks_denied` as networks."""
        return tuple(ip_network(part.strip()) for part in self.webhooks_denied.split(",") if part.strip())

    @field_validator("webhooks_retry_seconds")
    @classmethod
    def _waits_are_numbers(cls, value: str) -> str:
        retries.parse(value)
        return value

    @field_validator("webhooks_denied")
    @classmethod
    def _networks_are_networks(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            ip_network(part)
        return value
