"""Backups of the database, and the backup that a new platform starts from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from payment_operator.rules import Rule, rules
from payment_operator.spec_types import Model, Name, SecretRef, Size

SCHEDULE = r"^(|@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[^\s@]\S*(\s+\S+){4})$"


MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"


class BackupVolume(Model):
    """A volume of the platform's namespace, in the claim `backup`."""

    size: Size | None = Field(None, description='Size, as "10Gi"; it can only grow.')
    class_name: Name | None = Field(
        None, description="StorageClass; default the cluster's. It cannot change."
    )
    on_delete: Literal["Delete", "Retain"] | None = Field(
        None, description="What happens to the backups with the platform; default Retain."
    )


class BackupS3(Model):
    """A bucket behind the API of S3."""

    endpoint: str | None = Field(
        None,
        max_length=253,
        pattern=r"^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$",
        description="URL of the service; default https://s3.amazonaws.com.",
    )
    region: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9-]+$")] | None = Field(
        None, description="Default us-east-1."
    )
    bucket: str = Field(
        min_length=3, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$", description="Its name."
    )
    prefix: str | None = Field(
        None, max_length=500, pattern=r"^[A-Za-z0-9._/-]*$", description="Folder in the bucket; default none."
    )
    credentials_secret_ref: SecretRef = Field(
        description="Secret with the keys access-key-id and secret-access-key."
    )


class BackupStorage(Model):
    """Where backups are kept."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!(has(self.volume) && has(self.s3))",
                "backups go to one place: remove backup.storage.volume or backup.storage.s3",
            )
        )
    )
    volume: BackupVolume | None = Field(None, description="A volume, the default.")
    s3: BackupS3 | None = Field(None, description="A bucket.")


class Retention(Model):
    """Which backups are kept; the newest always is."""

    count: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="So many of the newest; default 14."
    )
    days: Annotated[int, Field(ge=0, le=3660)] | None = Field(
        None, description="Those of so many days; default 0: of any age."
    )


class PointInTime(Model):
    """Archiving of the builtin PostgreSQL's write-ahead log, so that any moment can be restored."""

    enabled: bool | None = Field(
        None, description="Default false. PostgreSQL restarts when it is switched on or off."
    )
    interval: str | None = Field(
        None,
        max_length=2,
        pattern=r"^[1-5]m$",
        description='Between two runs, "1m" to "5m"; default "1m". What came since is lost with the server\'s'
        " volume.",
    )


class Backup(Model):
    """Backups of the database: all schemas in one consistent dump, with a manifest of the books.

    Also on demand: the annotation ``paymentplatform.dev/backup: now-<any id>``.
    """

    enabled: bool | None = Field(None, description="Default on in staging and production.")
    schedule: str | None = Field(
        None,
        max_length=100,
        pattern=SCHEDULE,
        description="When, as five fields of cron in UTC; default daily. Empty: on demand only.",
    )
    retention: Retention | None = Field(None, description="Which backups are kept.")
    storage: BackupStorage | None = Field(None, description="Where backups are kept.")
    point_in_time: PointInTime | None = Field(
        None, description="The log beside the backups: any moment since the oldest one can be restored."
    )


class RestoreVolume(Model):
    """A volume with backups, such as the one that another platform left behind."""

    claim_name: Name = Field(description="PersistentVolumeClaim in the namespace of the new platform.")


class RestoreFrom(Model):
    """The backup that a new platform starts from. Payments stay closed until the books are proven right."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!(has(self.volume) && has(self.s3))",
                "a backup lies in one place: remove restoreFrom.volume or restoreFrom.s3",
            ),
            Rule(
                "has(self.name) != has(self.targetTime)",
                "name a backup or a moment: set one of restoreFrom.name and restoreFrom.targetTime",
            ),
        )
    )
    name: str | None = Field(
        None,
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9][a-z0-9.-]*$",
        description='Name of the backup, as "20261123t020000z", or latest.',
    )
    target_time: str | None = Field(
        None,
        max_length=32,
        pattern=MOMENT,
        description='Instead of a name: the moment whose books are wanted, as "2026-11-23T14:05:00+01:00";'
        " where backup.pointInTime was enabled.",
    )
    volume: RestoreVolume | None = Field(None, description="Where it lies; default backup.storage.")
    s3: BackupS3 | None = Field(None, description="Where it lies; default backup.storage.")
