"""Settings of otp-service."""

import base64
import binascii

from pydantic import Field, SecretStr, field_validator

from payments.common.settings import DatabaseSettings, KafkaSettings, ServiceSettings

KEY_BYTES = 32


class Settings(ServiceSettings, DatabaseSettings, KafkaSettings):
    """Everything that otp-service reads from its environment."""

    notification_service_url: str
    otp_hmac_key: SecretStr = Field(description="base64url, at least 32 bytes; codes are stored under it.")
    otp_ttl_seconds: int = Field(300, ge=30, le=600, description="NIST SP 800-63B: at most 10 minutes.")
    otp_max_tries: int = Field(5, ge=1, le=5, description="In all for a payment. PSD2 RTS 4: at most 5.")
    otp_max_resends: int = Field(3, ge=0, le=20, description="For a payment within the window.")
    otp_resend_window_seconds: int = Field(600, ge=60)
    otp_resend_gap_seconds: int = Field(30, ge=0, description="Least time between two codes.")
    otp_retention_seconds: int = Field(
        7 * 86_400, ge=2 * 86_400, description="Challenges are kept; a payment can be confirmed for a day."
    )
    otp_cleaning_seconds: float = Field(3600.0, gt=0, description="Between two looks for old challenges.")
    send_timeout_seconds: float = Field(10.0, gt=0, le=30)

    @field_validator("otp_hmac_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(decode_key(value)) < KEY_BYTES:
            raise ValueError(f"must be base64url of at least {KEY_BYTES} bytes")
        return value


def decode_key(value: SecretStr) -> bytes:
    """The key's bytes, empty when it is no base64url."""
    text = value.get_secret_value().strip()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
