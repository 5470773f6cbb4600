"""Settings of the confirm-service."""

from pydantic import Field

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


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
