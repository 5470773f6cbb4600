"""Spec of how it is known that money and payments are well."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from payment_operator.spec_backup import SCHEDULE
from payment_operator.spec_types import Model


class Verification(Model):
    """The proof that no money is lost or doubled, made again and again."""

    schedule: str | None = Field(
        None,
        max_length=100,
        pattern=SCHEDULE,
        description="When, as five fields of cron in UTC; default hourly. Empty: never by itself.",
    )


class SyntheticPayment(Model):
    """A payment made again and again, by a customer of its own between its two accounts."""

    enabled: bool | None = Field(
        None, description="Default on in dev and staging; in production only when declared."
    )
    interval: str | None = Field(
        None,
        max_length=3,
        pattern=r"^([1-9]|[1-5][0-9])m$|^([1-9]|1[0-9]|2[0-3])h$",
        description='Between two payments, "1m" to "59m" or "1h" to "23h"; default "5m".',
    )


class Restarts(Model):
    """Restarts of services that hang though their probes are green: work waits, none is done."""

    enabled: bool | None = Field(None, description="Default on where observability.prometheus is.")
    per_hour: Annotated[int, Field(ge=1, le=12)] | None = Field(
        None, description="Of each service at the most, then Degraded tells it; default 3."
    )


class Health(Model):
    """How the operator learns whether payments go through."""

    synthetic_payment: SyntheticPayment | None = Field(
        None, description="A payment made again and again; the condition PaymentPathReady says how it went."
    )
    restarts: Restarts | None = Field(None, description="Restarts of services that hang; needs the operator.")
