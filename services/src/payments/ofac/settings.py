"""Settings of ofac-service."""

from urllib.parse import urlsplit

from pydantic import Field, model_validator

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Everything that ofac-service reads from its environment."""

    kyc_service_url: str
    review_threshold: float = Field(0.85, ge=0.5, le=1, description="Score from which a person must look.")
    match_threshold: float = Field(0.95, ge=0.5, le=1, description="Score from which a payment is refused.")
    sanctions_source: str = Field(
        "",
        description="Folder, or URL of the folder, with the list's files; empty: lists are loaded by hand.",
    )
    sanctions_refresh_seconds: float = Field(
        86400, gt=0, description="Between two times that the source is asked."
    )
    sanctions_timeout_seconds: float = Field(60, gt=0, le=600, description="For each file of a URL.")
    sanctions_stale_days: float = Field(
        7, gt=0, description="From this age on the list is told to be stale; it stays in force."
    )
    rescreening_batch: int = Field(100, ge=1, le=1000, description="Customers in one transaction.")

    @model_validator(mode="after")
    def _source_is_safe(self) -> "Settings":
        scheme = urlsplit(self.sanctions_source).scheme if "://" in self.sanctions_source else ""
        if scheme not in ("", "http", "https"):
            raise ValueError("SANCTIONS_SOURCE is a folder or an http(s) URL")
        if scheme == "http" and self.platform_profile == "production":
            raise ValueError("SANCTIONS_SOURCE must be https:// in production")
        if self.review_threshold > self.match_threshold:
            raise ValueError("REVIEW_THRESHOLD must not be above MATCH_THRESHOLD")
        return self
