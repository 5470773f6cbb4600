import base64

import pytest
from pydantic import ValidationError

from payments.otp.settings import Settings, decode_key

BASE = {
    "service": "otp-service",
    "http_port": 3006,
    "database_host": "postgres",
    "database_user": "otp",
    "database_password": "x",
    "kafka_bootstrap_servers": "kafka:9092",
    "notification_service_url": "http://notification-service:3005",
}


def settings(**changes: object) -> Settings:
    return Settings.model_validate(BASE | changes)


def test_a_key_of_32_bytes_is_taken_with_or_without_padding() -> None:
    key = bytes(range(224, 256))
    text = base64.urlsafe_b64encode(key).decode()
    assert decode_key(settings(otp_hmac_key=text).otp_hmac_key) == key
    assert decode_key(settings(otp_hmac_key=text.rstrip("=")).otp_hmac_key) == key


@pytest.mark.parametrize("key", ["", "secret", "a" * 42, "not base64url at all: €€€€€€€€€€€€€€€€€€€€€€"])
def test_a_short_or_broken_key_refuses_to_start_and_is_not_told(key: str) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(otp_hmac_key=key)
    assert "otp_hmac_key" in str(raised.value)
    assert not key or key not in str(raised.value.errors(include_input=False))


def test_no_setting_allows_more_than_five_tries() -> None:
    with pytest.raises(ValidationError):
        settings(otp_hmac_key="A" * 43, otp_max_tries=6)
