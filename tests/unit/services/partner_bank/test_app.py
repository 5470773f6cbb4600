from pathlib import Path

import httpx
import pytest

from payments.partner_bank.app import Settings, create


def settings(profile: str, folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "service": "partner-bank-api",
            "http_port": 3011,
            "platform_profile": profile,
            "database_host": "127.0.0.1",
            "database_port": 1,  # nothing listens
            "database_user": "bank",
            "database_password": "x",
            "identity_issuer_file": folder / "issuer",
            "identity_jwks_file": folder / "jwks.json",
        }
    )


@pytest.mark.parametrize(("profile", "there"), [("dev", True), ("staging", True), ("production", False)])
async def test_faults_can_be_asked_for_in_trials_only(profile: str, there: bool, tmp_path: Path) -> None:
    app = create(settings(profile, tmp_path))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank") as client:
        answer = await client.post("/sandbox/faults", content=b"{")
    # In production it is a route like any other unknown one: first of all, who asks?
    assert answer.status_code == (400 if there else 401)


async def test_orders_need_a_caller(tmp_path: Path) -> None:
    app = create(settings("dev", tmp_path))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank") as client:
        answer = await client.post("/process-transfer", json={})
    assert answer.status_code == 401
    assert answer.json()["code"] == "caller_unauthenticated"
