"""Settings of the backup's programs, from the environment (prefix BACKUP_)."""

from pathlib import Path

from pydantic import AwareDatetime, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BackupSettings(BaseSettings):
    """Where backups lie, where work is done, and what is kept."""

    model_config = SettingsConfigDict(
        env_prefix="BACKUP_", extra="ignore", frozen=True, env_ignore_empty=True
    )

    folder: Path | None = Field(default=None, description="Mounted volume that holds the backups.")
    s3_endpoint: str = Field(default="https://s3.amazonaws.com", description="URL of the S3 API.")
    s3_bucket: str | None = Field(default=None, description="Bucket that holds them instead.")
    s3_prefix: str = Field(default="", description="Folder in the bucket.")
    s3_region: str = "us-east-1"
    s3_credentials_dir: Path | None = Field(
        default=None, description="Holds access-key-id and secret-access-key."
    )
    work: Path = Field(default=Path("/work"), description="Room for one dump; database.dump and facts.json.")
    keep_count: int | None = Field(default=None, ge=1)
    keep_days: int = Field(default=0, ge=0, description="0: of any age.")
    platform_version: str = "0"
    facts_file: Path = Field(
        default=Path("/etc/payment-platform/backup/facts.sql"),
        description="The question whose answer is in every manifest.",
    )
    name: str = Field(default="latest", description="The backup to restore.")
    target_time: AwareDatetime | None = Field(
        default=None, description="The moment to restore instead, from the archived log."
    )
    point_in_time: bool = Field(default=False, description="The work folder holds a base backup, too.")
    database: str = Field(default="payment_db", validation_alias="DATABASE_NAME")
    patience: float = Field(
        default=60, gt=0, description="Seconds without progress after which archiving gives up."
    )
    termination_log: Path = Field(
        default=Path("/dev/termination-log"), description="Where a container leaves its last words."
    )

    def credentials(self) -> tuple[SecretStr, SecretStr]:
        """Key id and key of the bucket. Raises OSError naming the file that is not there."""
        folder = self.s3_credentials_dir or Path("/etc/payment-platform/backup-credentials")
        first, second = (
            SecretStr((folder / name).read_text().strip()) for name in ("access-key-id", "secret-access-key")
        )
        return first, second
