"""Operators reach screening and verification through the gateway; nobody else does."""

import secrets
from typing import Any

import httpx
import pytest

from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, Pool, ensure

PASSWORD = "password123"


@pytest.fixture
async def people(stack: Stack, ofac: Calls, client: httpx.AsyncClient) -> dict[str, dict[str, str]]:
    """Headers of the demo people who have logged in, by role."""
    del ofac
    ensure(stack, "kyc-service", "confirm-service", "account-service", "audit-service", "api-gateway")
    found = {}
    for role, username in (("operator", "operator"), ("auditor", "auditor"), ("customer", "demo")):
        url = stack.url("api-gateway") + "/auth/login"
        answer = await client.post(url, json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        found[role] = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return found


async def test_a_rule_and_a_verification_from_outside(
    stack: Stack, client: httpx.AsyncClient, database: Pool, people: dict[str, dict[str, str]]
) -> None:
    base = stack.url("api-gateway")

    async def send(role: str, method: str, path: str, **options: Any) -> httpx.Response:
        key = {"Idempotency-Key": secrets.token_hex(8)} if method == "POST" else {}
        return await client.request(method, base + path, headers=people[role] | key, **options)

    rule = {"action": "block", "customer_id": f"cust-{secrets.token_hex(4)}", "reason": "test"}
    made = await send("operator", "POST", "/v1/screening/rules", json=rule)
    assert made.status_code == 201, made.text
    path = f"/v1/screening/rules/{made.json()['id']}"
    listed = await send("auditor", "GET", f"/v1/screening/rules?customer_id={rule['customer_id']}")
    assert [item["id"] for item in listed.json()["data"]] == [made.json()["id"]]
    ended = await send("operator", "DELETE", path, params={"reason": "over"})
    assert (ended.status_code, ended.json()["in_force"]) == (200, False)

    customer = str(rule["customer_id"])
    await database.execute("INSERT INTO kyc.customers (customer_id, name) VALUES ($1, 'Ada Test')", customer)
    approved = {"decision": "approve", "reason": "seen", "level": "full"}
    decided = await send("operator", "POST", f"/v1/kyc/customers/{customer}/decisions", json=approved)
    assert decided.status_code == 201, decided.text
    shown = (await send("auditor", "GET", f"/v1/kyc/customers/{customer}")).json()
    assert (shown["verified"], shown["level"]) == (True, "full")

    for path in ("rules", "decisions", "rescreenings", "list"):
        assert (await send("auditor", "GET", f"/v1/screening/{path}")).status_code == 200
        assert (await send("customer", "GET", f"/v1/screening/{path}")).status_code == 403
    assert (await send("auditor", "POST", "/v1/screening/rules", json=rule)).status_code == 403
    assert (await send("customer", "GET", "/v1/kyc/customers")).status_code == 403
    wrong = await send("operator", "POST", "/v1/screening/rules", json=rule | {"action": "allow"})
    assert wrong.json()["errors"][0]["field"] == "entries"
