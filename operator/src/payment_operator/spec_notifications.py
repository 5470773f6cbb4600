"""Spec of what the platform tells others: messages to customers, webhooks to merchants."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from payment_operator.rules import Rule, rules
from payment_operator.spec_types import Model, SecretRef


def _needs_credentials() -> ConfigDict:
    return ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.provider) || self.provider == 'sandbox' || has(self.credentialsSecretRef)",
                "a real provider needs credentialsSecretRef",
                ".credentialsSecretRef",
            )
        )
    )


class Sms(Model):
    """Text messages."""

    model_config = _needs_credentials()
    provider: Literal["sandbox", "twilio"] | None = Field(
        None, description="Default sandbox outside production."
    )
    credentials_secret_ref: SecretRef | None = Field(
        None, description="Secret with the provider's credentials."
    )


class Email(Model):
    """E-mail."""

    model_config = _needs_credentials()
    provider: Literal["sandbox", "sendgrid"] | None = Field(
        None, description="Default sandbox outside production."
    )
    credentials_secret_ref: SecretRef | None = Field(
        None, description="Secret with the provider's credentials."
    )


class Push(Model):
    """Push messages."""

    model_config = _needs_credentials()
    provider: Literal["sandbox", "fcm"] | None = Field(
        None, description="Default sandbox outside production."
    )
    credentials_secret_ref: SecretRef | None = Field(
        None, description="Secret with the provider's credentials."
    )


class Notifications(Model):
    """Who delivers messages to customers."""

    sms: Sms | None = Field(None, description="Text messages.")
    email: Email | None = Field(None, description="E-mail.")
    push: Push | None = Field(None, description="Push messages.")


class Webhooks(Model):
    """Telling merchants' servers of events."""

    enabled: bool | None = Field(
        None,
        description="Default on in dev and staging, off in production. "
        "On, confirm-service reaches the internet on port 443.",
    )
    allow_private_addresses: bool | None = Field(
        None,
        description="Receivers at any address on ports 80 and 443; default on in dev, refused in production.",
    )
    retention_days: Annotated[int, Field(ge=3, le=366)] | None = Field(
        None, description="How long events and the log of deliveries are kept; default 30."
    )
