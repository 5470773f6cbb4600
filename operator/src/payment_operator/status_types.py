"""The status of a PaymentPlatform as the API server stores it (part of the generated CRD)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from payment_operator.spec_types import Model, Resources
from payment_operator.upgrade import Phase


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


class LastGood(Model):
    """The release that ran completely last: what a failed upgrade goes back to."""

    version: str = Field(description="Its version.")
    release: str = Field(description="Its version and where its images came from.")
    spec: dict[str, Any] = Field(
        description="The settings that it ran with.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )


class PreflightCheck(Model):
    """One thing that was looked at before anything was changed."""

    name: str = Field(description="What: images, postgres, schema, redis, kafka, topics.")
    ok: bool = Field(description="Whether the upgrade may go on.")
    message: str = Field(description="What was found.")


class UpgradeStatus(Model):
    """The last change of version or images."""

    from_: str = Field(alias="from", description="The release that ran before.")
    to: str = Field(description="The release that is wanted.")
    phase: Phase = Field(
        description="Where it stands. RolledBack: the former services run again, data is as it was."
    )
    started_at: str = Field(description="When it began.", json_schema_extra={"format": "date-time"})
    phase_since: str = Field(description="When the phase began.", json_schema_extra={"format": "date-time"})
    attempts: int = Field(description="How many times it was tried.")
    reason: str = Field(description="Why it was rolled back; empty when it was not.")
    snapshot: str = Field(description="The snapshot made before; none when nothing makes them.")
    observed_generation: int = Field(description="Generation of the spec that was tried.")
    retry: str = Field(description="The annotation paymentplatform.dev/retry-upgrade that was served.")
    preflight: list[PreflightCheck] = Field(description="What was looked at before.")


class BackupFailure(Model):
    """A backup that was not made."""

    time: str = Field(description="When its Job gave up.", json_schema_extra={"format": "date-time"})
    job: str = Field(description="The Job.")
    message: str = Field(description="Why.")


class BackupStatus(Model):
    """What became of backups."""

    last_successful: str | None = Field(
        None, description="When the last one ended well.", json_schema_extra={"format": "date-time"}
    )
    last_name: str | None = Field(None, description="Its name, for spec.restoreFrom.")
    last_archived_wal: str | None = Field(None, description="The last file of the log that is archived.")
    last_archived_time: str | None = Field(
        None,
        description="Up to this moment the log is archived, for restoreFrom.targetTime.",
        json_schema_extra={"format": "date-time"},
    )
    restorable_from: str | None = Field(
        None,
        description="The first moment for restoreFrom.targetTime.",
        json_schema_extra={"format": "date-time"},
    )
    last_failure: BackupFailure | None = Field(None, description="The last one that failed.")
    request: str | None = Field(None, description="The last annotation that was served.")


class RestoreStatus(Model):
    """Which backup the platform was made from."""

    name: str = Field(description="Name of the backup.")
    taken_at: str | None = Field(None, description="Moment of its snapshot, or the one that was asked for.")
    completed_at: str = Field(description="When its books were proven right.")


class Advice(Model):
    """What a service should ask for, by what it used."""

    service: str = Field(description="The Deployment.")
    changes: list[str] = Field(description='As "requests.cpu: 200m → 60m"; set them in spec.services.')


class AppliedAdvice(Model):
    """Other requests that a service was given."""

    service: str = Field(description="The Deployment.")
    applied_at: str = Field(
        description="When, or when it was taken back.", json_schema_extra={"format": "date-time"}
    )
    resources: Resources = Field(description="What it asks for; empty when it was taken back.")
    before: Resources = Field(description="What it asked for.")
    measured: str = Field(description="What it used, by which that was chosen.")
    taken_back: str = Field(description="Why it was taken back; empty when it was not.")


class PaymentPlatformStatus(Model):
    """What the operator saw and did."""

    observed_generation: int | None = Field(
        None, description="Generation of the spec that was acted on last."
    )
    version: str | None = Field(None, description="Version that runs; set when its install or upgrade ended.")
    release: str | None = Field(
        None, description="Version and images that were rolled out completely; another one rolls in waves."
    )
    last_good: LastGood | None = Field(None, description="What a failed upgrade goes back to.")
    upgrade: UpgradeStatus | None = Field(None, description="The last change of version or images.")
    services: ServicesStatus | None = Field(None, description="Readiness of the Deployments.")
    backup: BackupStatus | None = Field(None, description="What became of backups.")
    restore: RestoreStatus | None = Field(
        None, description="The backup that the platform was made from, once its books were proven right."
    )
    advice: list[Advice] | None = Field(
        None, description="Requests and limits that are far from what was used in six hours; from Prometheus."
    )
    applied_advice: list[AppliedAdvice] | None = Field(
        None, description="Advice that was applied, where spec.resourceAdvice asks for that."
    )
    plan: list[PlannedChange] | None = Field(
        None, description="While the annotation paymentplatform.dev/dry-run is set: what would be done."
    )
    conditions: list[Condition] | None = Field(
        None,
        description="Ready, Progressing, Degraded and one for each part.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
