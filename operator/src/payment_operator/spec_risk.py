"""The part of the spec that judges payments: rules as data. risk-service checks what a schema cannot."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from payment_operator.spec_types import Model

Mode = Literal["enforce", "simulate"]
Value = Annotated[
    bool | int | float | str | list[str], WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True})
]


class Condition(Model):
    """What is known of a payment stands in a relation to a value."""

    fact: Literal[
        "amount",
        "currency",
        "verified",
        "sanctions",
        "over_review_limit",
        "to_other_bank",
        "kyc_level",
        "country",
        "payments_1h",
        "payments_24h",
        "payments_7d",
        "sum_1h",
        "sum_24h",
        "sum_7d",
        "new_payee",
    ] = Field(description="Amounts in major units; windows tell of the customer's other payments.")
    op: Literal[">", ">=", "<", "<=", "==", "!=", "in", "not_in"] = Field(description="The relation.")
    value: Value = Field(description="A number, a text, true or false; a list of texts for in and not_in.")


class RiskRule(Model):
    """Adds points when all its conditions hold."""

    code: str = Field(max_length=64, pattern=r"^[a-z][a-z0-9_]*$", description="Name of the rule.")
    points: Annotated[int, Field(ge=0, le=1000)] = Field(description="What it adds to the score.")
    reason: str = Field(min_length=1, max_length=200, description="What it is about, for operators.")
    when: list[Condition] = Field(min_length=1, max_length=10, description="All of these must hold.")
    decision: Literal["review", "refuse"] | None = Field(
        None, description="What becomes of the payment; default the score alone decides."
    )
    mode: Mode | None = Field(None, description="simulate: recorded, without effect; default enforce.")


class Risk(Model):
    """What is left out is as built in. Sanctions and verification bind whatever the rules say."""

    mode: Mode | None = Field(
        None,
        description="simulate: these rules are recorded only, the built-in ones decide; default enforce.",
    )
    high: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="Score from which a one-time password is asked for; default 50."
    )
    rules: list[RiskRule] | None = Field(
        None, min_length=1, max_length=200, description="The rules; default the built-in ones."
    )
