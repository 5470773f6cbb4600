"""Settings of api-gateway."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from payments.common.settings import DatabaseSettings, KafkaSettings, RedisSettings, ServiceSettings
from payments.gateway.guard import Limits


class Settings(ServiceSettings, DatabaseSettings, RedisSettings, KafkaSettings):
    """Read once, from the environment."""

    confirm_service_url: str
    account_service_url: str
    audit_service_url: str
    ofac_service_url: str
    kyc_service_url: str

    signing_keys_file: Path = Field(description="JWK Set of private keys; the first one signs.")
    encryption_keys_file: Path = Field(description="JWK Set of RSA private keys for encrypted payloads.")
    load_balancer_token: SecretStr = Field(
        SecretStr(""), description="X-Forwarded-For is believed only beside it; never, when it is empty."
    )

    rate_limit_requests: int = Field(
        100, ge=1, description="Requests for each client address and for each person ..."
    )
    rate_limit_logins: int = Field(
        0, ge=0, description="... of which logins and refreshes; 0 means half of them, at least 10."
    )
    rate_limit_passwords: int = Field(
        0, ge=0, description="One-time passwords a person may ask for; 0 means a fifth, at least 5."
    )
    rate_limit_window_seconds: int = Field(900, ge=1, description="... in this time.")
    login_failures: int = Field(
        20, ge=1, description="Failed logins for each user name in the window before it has to wait."
    )
    login_concurrency: int = Field(
        2, ge=1, le=16, description="Password checks at a time, 19 MiB and about 25 ms of a core each."
    )
    cors_allowed_origins: str = Field("", description="Comma-separated, e.g. https://shop.example.com")

    access_token_seconds: int = Field(
        3600, ge=60, le=86_400, description="Keep the platform's security.keyRotation.keep above it."
    )
    session_seconds: int = Field(
        7 * 86400, ge=60, description="From login until the refresh tokens end and one must log in again."
    )
    redis_key_prefix: str = Field("gateway", description="Platforms that share a Redis need different ones.")

    @property
    def limits(self) -> Limits:
        """The rate limits."""
        requests = self.rate_limit_requests
        return Limits(
            requests=requests,
            logins=self.rate_limit_logins or max(10, requests // 2),
            passwords=self.rate_limit_passwords or max(5, requests // 5),
            window_seconds=self.rate_limit_window_seconds,
        )

    @property
    def origins(self) -> frozenset[str]:
        """Origins whose browsers' scripts may read answers."""
        return frozenset(filter(None, (item.strip() for item in self.cors_allowed_origins.split(","))))

    @field_validator("cors_allowed_origins")
    @classmethod
    def _origins_are_exact(cls, value: str) -> str:
        for item in filter(None, (item.strip() for item in value.split(","))):
            parts = urlsplit(item)
            if parts.scheme not in ("http", "https") or not parts.netloc or "*" in item or parts.path:
                raise ValueError(f"{item!r} is no origin; write scheme://host[:port], no path, no wildcard")
        return value
