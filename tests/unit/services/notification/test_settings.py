from pathlib import Path

import pytest
from pydantic import ValidationError

from payments.notification.app import create, real_providers
from payments.notification.providers.http import CredentialsError
from payments.notification.routes import SANDBOX_PATH
from payments.notification.settings import Settings

BASE = {
    "service": "notification-service",
    "http_port": 3005,
    "platform_profile": "dev",
    "database_host": "postgres",
    "database_user": "notification",
    "database_password": "x",
    "kafka_bootstrap_servers": "kafka:9092",
    "kyc_service_url": "http://kyc-service:3010",
}


def settings(**changes: object) -> Settings:
    return Settings.model_validate(BASE | changes)


def paths(settings: Settings) -> set[str]:
    return {getattr(route, "path", "") for route in create(settings).routes}


@pytest.mark.parametrize(
    "changes",
    [
        {"sms_provider": "pigeon"},
        {"sms_provider": "sendgrid"},
        {"email_provider": "twilio"},
        {"platform_profile": "production", "push_provider": "sandbox"},
    ],
)
def test_providers_that_cannot_be_refuse_to_start(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**changes)


def test_the_sandbox_has_a_route_and_nothing_else_has() -> None:
    assert SANDBOX_PATH in paths(settings(sms_provider="sandbox"))
    assert SANDBOX_PATH not in paths(settings())


@pytest.mark.parametrize(
    ("channel", "provider", "files"),
    [
        ("sms", "twilio", {"account-sid": "AC1", "auth-token": "t"}),
        ("sms", "twilio", {"account-sid": "AC1", "auth-token": "t", "from": " "}),
        ("email", "sendgrid", {"from": "a@example.com"}),
        ("push", "fcm", {"service-account.json": "{}"}),
        ("push", "fcm", {"service-account.json": "no json"}),
    ],
)
def test_missing_credentials_refuse_to_start_and_name_the_file(
    tmp_path: Path, channel: str, provider: str, files: dict[str, str]
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    chosen = settings(**{f"{channel}_provider": provider, f"{channel}_credentials_dir": tmp_path})
    with pytest.raises(CredentialsError, match=r"from|api-key|service-account\.json"):
        real_providers(chosen)


def test_a_real_provider_without_a_folder_names_the_variable() -> None:
    with pytest.raises(CredentialsError, match="SMS_CREDENTIALS_DIR"):
        real_providers(settings(sms_provider="twilio"))
