"""Decisions of operators about customers: their effect, their record, their events."""

import json
import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, Pool, eventually

TODAY = datetime.now(UTC).date()


@pytest.fixture
async def customer(database: Pool) -> str:
    """A new customer, pending."""
    customer_id = f"cust-{secrets.token_hex(6)}"
    await database.execute(
        "INSERT INTO kyc.customers (customer_id, name) VALUES ($1, 'Ada Test')", customer_id
    )
    return customer_id


def path(customer: str) -> str:
    return f"/v1/kyc/customers/{customer}/decisions"


async def decide(kyc: Calls, customer: str, key: str | None = None, **body: Any) -> dict[str, Any]:
    body.setdefault("reason", "documents seen")
    response = await kyc.post(
        path(customer), body, caller="api-gateway", actor="operator", key=key or secrets.token_hex(8)
    )
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def status(kyc: Calls, customer: str) -> tuple[bool, str, str]:
    answer = await kyc.answer("/check-status", {"customer_id": customer})
    return answer["verified"], answer["status"], answer["level"]


async def test_each_decision_takes_effect_and_is_on_record(kyc: Calls, database: Pool, customer: str) -> None:
    ends = (TODAY + timedelta(days=30)).isoformat()
    approved = await decide(kyc, customer, decision="approve", level="full", documents_expire_on=ends)
    assert (approved["status_before"], approved["status"], approved["level"]) == (
        "pending",
        "verified",
        "full",
    )
    assert await status(kyc, customer) == (True, "verified", "full")
    await decide(kyc, customer, decision="require_documents", reason="blurred")
    assert await status(kyc, customer) == (False, "documents_required", "full")
    await decide(kyc, customer, decision="reject", reason="forged", level="basic")
    assert await status(kyc, customer) == (False, "rejected", "basic")

    listed = await kyc.get(path(customer), caller="api-gateway", actor="auditor", limit=2)
    page = listed.json()
    assert [(item["decision"], item["reason"]) for item in page["data"]] == [
        ("reject", "forged"),
        ("require_documents", "blurred"),
    ]
    assert page["has_more"] is True
    assert all(item["made_by"] for item in page["data"])
    rows = await database.fetch("SELECT type, payload FROM kyc.outbox WHERE key = $1 ORDER BY id", customer)
    assert [row["type"] for row in rows] == ["kyc.changed", *["kyc.changed", "kyc.decided"] * 3]
    told = json.loads(rows[2]["payload"])
    assert (told["decision_id"], told["by"]) == (approved["id"], approved["made_by"])
    assert "Ada" not in "".join(row["payload"] for row in rows)


async def test_a_request_decides_once(kyc: Calls, database: Pool, customer: str) -> None:
    key = secrets.token_hex(8)
    first = await decide(kyc, customer, key, decision="approve")
    await decide(kyc, customer, decision="reject")
    assert await decide(kyc, customer, key, decision="approve") == first
    assert (await status(kyc, customer))[1] == "rejected"
    assert await database.fetchval("SELECT count(*) FROM kyc.decisions WHERE customer_id = $1", customer) == 2
    body = {"decision": "reject", "reason": "documents seen"}
    reused = await kyc.post(path(customer), body, caller="api-gateway", actor="operator", key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def test_expired_documents_are_told_at_once_and_put_on_record(
    kyc: Calls, database: Pool, customer: str
) -> None:
    await decide(kyc, customer, decision="approve", level="full", documents_expire_on=TODAY.isoformat())
    assert (await status(kyc, customer))[0] is True
    await database.execute(
        "UPDATE kyc.customers SET documents_expire_on = $2 WHERE customer_id = $1",
        customer,
        TODAY - timedelta(days=1),
    )
    assert await status(kyc, customer) == (False, "expired", "full")
    found = await kyc.get(
        "/v1/kyc/customers", caller="api-gateway", actor="operator", status="expired", limit=100
    )
    assert customer in {item["id"] for item in found.json()["data"]}
    await database.execute("SELECT kyc.expire_documents(100)")
    before = await database.fetchval("SELECT status FROM kyc.customers WHERE customer_id = $1", customer)
    assert before == "expired"
    (latest, *_) = (await kyc.get(path(customer), caller="api-gateway", actor="operator")).json()["data"]
    assert (latest["decision"], latest["made_by"]) == ("expire", "kyc-service")
    await decide(kyc, customer, decision="approve")
    assert await status(kyc, customer) == (True, "verified", "full")


async def test_the_service_marks_expired_customers_by_itself(
    kyc: Calls, database: Pool, customer: str, stack: Stack
) -> None:
    await database.execute(
        "UPDATE kyc.customers SET status = 'verified', documents_expire_on = $2 WHERE customer_id = $1",
        customer,
        date(2020, 1, 1),
    )
    stack.processes.kill("kyc-service")
    stack.start(["kyc-service"])

    async def marked() -> bool:
        found = await database.fetchval("SELECT status FROM kyc.customers WHERE customer_id = $1", customer)
        return bool(found == "expired")

    await eventually("the mark", marked)
    assert (await status(kyc, customer))[1] == "expired"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "approve"}, "reason"),
        ({"decision": "approve", "reason": " "}, "reason"),
        ({"decision": "pardon", "reason": "r"}, "decision"),
        ({"decision": "approve", "reason": "r", "level": "royal"}, "level"),
        ({"decision": "approve", "reason": "r", "documents_expire_on": "2020-01-01"}, "documents_expire_on"),
        ({"decision": "reject", "reason": "r", "documents_expire_on": "2099-01-01"}, "documents_expire_on"),
        ({"decision": "reject", "reason": "r", "status": "verified"}, "status"),
    ],
)
async def test_decisions_that_make_no_sense_are_refused(
    kyc: Calls, customer: str, body: dict[str, Any], field: str
) -> None:
    response = await kyc.post(path(customer), body, caller="api-gateway", actor="operator", key="k")
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_only_operators_decide_and_only_staff_look(kyc: Calls, customer: str) -> None:
    body = {"decision": "approve", "reason": "r"}
    for actor in ("customer", "auditor"):
        denied = await kyc.post(path(customer), body, caller="api-gateway", actor=actor, key="k")
        assert denied.status_code == 403
    for found in ("/v1/kyc/customers", f"/v1/kyc/customers/{customer}", path(customer)):
        assert (await kyc.get(found, caller="api-gateway", actor="customer")).status_code == 403
        assert (await kyc.get(found, caller="api-gateway")).status_code == 401
    shown = (await kyc.get(f"/v1/kyc/customers/{customer}", caller="api-gateway", actor="auditor")).json()
    assert (shown["id"], shown["status"], "email" in shown) == (customer, "pending", False)
    missing = await kyc.post(path("nobody"), body, caller="api-gateway", actor="operator", key="k2")
    assert missing.status_code == 404
    assert (await kyc.get(path("nobody"), caller="api-gateway", actor="auditor")).status_code == 404


async def test_the_role_changes_customers_by_decisions_only(stack: Stack, customer: str) -> None:
    host, port = stack.servers.postgres
    connection = await asyncpg.connect(
        host=host, port=port, database=stack.servers.database, user="kyc", password="dev-kyc"
    )
    try:
        for statement in (
            "UPDATE kyc.customers SET status = 'verified'",
            "INSERT INTO kyc.decisions SELECT * FROM kyc.decisions",
            "DELETE FROM kyc.decisions",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        made = await connection.fetchrow(
            "SELECT * FROM kyc.decide($1, 'approve', 'r', NULL, NULL, 'op', NULL, NULL)", customer
        )
        assert made is not None
        assert made["status"] == "verified"
    finally:
        await connection.close()
