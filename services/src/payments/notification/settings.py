"""Settings of notification-service."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Everything that notification-service reads from its environment.

    A provider is `sandbox`, a real one with a folder of credentials, or empty: the channel is off then.
    """

    kyc_service_url: str
    sms_provider: Literal["", "sandbox", "twilio"] = ""
    email_provider: Literal["", "sandbox", "sendgrid"] = ""
    push_provider: Literal["", "sandbox", "fcm"] = ""
    sms_credentials_dir: Path | None = Field(None, description="Files account-sid, auth-token, from.")
    email_credentials_dir: Path | None = Field(None, description="Files api-key, from.")
    push_credentials_dir: Path | None = Field(None, description="File service-account.json.")
    twilio_url: str = "https://api.twilio.com"
    sendgrid_url: str = "https://api.sendgrid.com"
    fcm_url: str = "https://fcm.googleapis.com"
    provider_timeout_seconds: float = Field(4.0, gt=0, le=30)
    claim_seconds: float = Field(
        60.0,
        gt=0,
        description="After this a message begun by a process that has died is sent; longer than any sending.",
    )
    max_attempts: int = Field(5, ge=1, description="For an event's message, before it is given up.")

    sandbox_retention_seconds: int = Field(
        86_400, ge=600, description="The sandbox's messages are kept; they show one-time passwords."
    )
    sandbox_cleaning_seconds: float = Field(600.0, gt=0, description="Between two looks for old messages.")

    @property
    def sandboxed(self) -> bool:
        """True when some channel delivers into the sandbox."""
        return "sandbox" in (self.sms_provider, self.email_provider, self.push_provider)

    @model_validator(mode="after")
    def _no_sandbox_in_production(self) -> Self:
        if self.sandboxed and self.platform_profile == "production":
            raise ValueError(
                "the sandbox shows one-time passwords and is refused in production: set SMS_PROVIDER,"
                " EMAIL_PROVIDER and PUSH_PROVIDER to real providers, or leave them empty"
            )
        return self
