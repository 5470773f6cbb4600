"""The status of a PaymentPlatform as the API server stores it (part of the generated CRD)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from payment_operator.spec_types import Model


class Condition(Model):
    """One condition, per the Kubernetes API conventions."""

    type: Annotated[str, Field(max_length=64)] = Field(description="Which condition.")
    status: Literal["True", "False", "Unknown"] = Field(description="True, False or Unknown.")
    reason: Annotated[str, Field(max_length=128)] = Field(description="One word for the cause.")
    message: Annotated[str, Field(max_length=4096)] = Field(description="What is wrong and how to fix it.")
    observed_generation: int = Field(description="Generation of the spec that it speaks of.")
    last_transition_time: str = Field(
        description="When the status last changed.", json_schema_extra={"format": "date-time"}
    )


class ServicesStatus(Model):
    """How many of the Deployments are ready."""

    ready: str = Field(description='Ready of all, as "11/11".')
    available: int = Field(description="Deployments with all replicas ready.")
    total: int = Field(description="Deployments declared.")


class PlannedChange(Model):
    """What would be done to one object."""

    action: Literal["Create", "Update", "Delete", "Refused"] = Field(
        description="Create, Update or Delete; Refused when the API server would not take it."
    )
    object: str = Field(description='Kind and name, as "Deployment/api-gateway".')
    changes: list[str] = Field(description='Fields that change, as "spec.replicas: 2 → 3".')


class PaymentPlatformStatus(Model):
    """What the operator saw and did."""

    observed_generation: int | None = Field(
        None, description="Generation of the spec that was acted on last."
    )
    version: str | None = Field(None, description="Version that runs; set when its install or upgrade ended.")
    release: str | None = Field(
        None, description="Version and images that were rolled out completely; another one rolls in waves."
    )
    services: ServicesStatus | None = Field(None, description="Readiness of the Deployments.")
    plan: list[PlannedChange] | None = Field(
        None, description="While the annotation paymentplatform.dev/dry-run is set: what would be done."
    )
    conditions: list[Condition] | None = Field(
        None,
        description="Ready, Progressing, Degraded and one for each part.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
