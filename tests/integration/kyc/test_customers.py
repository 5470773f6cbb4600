"""Customers as the other services see them, and how a change becomes visible."""

import asyncio
import json
import secrets

import asyncpg
import pytest

from hack.dev.stack import Stack
from tests.support.internal_calls import Calls, Pool

_INSERT = "INSERT INTO kyc.customers (customer_id, name, status) VALUES ($1, 'Ada Test', $2)"


def unique() -> str:
    return f"cust-{secrets.token_hex(6)}"


async def test_the_demo_customers_are_verified_but_one(kyc: Calls) -> None:
    for customer_id in ("cust_001", "cust_002", "cust_003", "BLOCKED_CUSTOMER_001", "SANCTIONED_ENTITY_002"):
        answer = await kyc.answer("/check-status", {"customer_id": customer_id})
        assert answer["verified"] is True
        assert answer["name"]
    pending = await kyc.answer("/check-status", {"customer_id": "cust_004"})
    assert (pending["verified"], pending["status"]) == (False, "pending")


async def test_somebody_unknown_is_not_verified(kyc: Calls) -> None:
    answer = await kyc.answer("/check-status", {"customer_id": unique()})
    assert (answer["verified"], answer["status"], answer["version"]) == (False, "unknown", 0)


async def test_expired_documents_end_the_verification(kyc: Calls, database: Pool) -> None:
    customer_id = unique()
    await database.execute(_INSERT, customer_id, "verified")
    for days, verified in ((0, True), (-1, False)):
        await database.execute(
            "UPDATE kyc.customers SET documents_expire_on = (now() AT TIME ZONE 'UTC')::date + $2::int"
            " WHERE customer_id = $1",
            customer_id,
            days,
        )
        assert (await kyc.answer("/check-status", {"customer_id": customer_id}))["verified"] is verified


async def test_contact_data_is_for_the_notification_service_only(kyc: Calls) -> None:
    assert (await kyc.get("/customers/cust_001/contact")).status_code == 403
    answer = await kyc.get("/customers/cust_001/contact", caller="notification-service")
    assert answer.json() == {
        "customer_id": "cust_001",
        "name": "John Smith",
        "email": "john@example.com",
        "phone": "+1234567890",
        "push_token": None,
    }
    for path in (f"/customers/{unique()}/contact", "/customers/a%00b/contact"):
        assert (await kyc.get(path, caller="notification-service")).status_code == 404


@pytest.mark.parametrize("body", [{}, {"customer_id": ""}, {"customer_id": "a\0b"}, {"customer_id": 1}, [1]])
async def test_bad_requests_are_told(kyc: Calls, body: object) -> None:
    response = await kyc.post("/check-status", body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_every_change_moves_the_version_and_tells_an_event(kyc: Calls, database: Pool) -> None:
    customer_id = unique()

    async def version() -> int:
        return int((await kyc.get("/version")).json()["version"])

    before = await version()
    await database.execute(_INSERT, customer_id, "pending")
    inserted = await version()
    await database.execute("UPDATE kyc.customers SET status = 'verified' WHERE customer_id = $1", customer_id)
    updated = await version()
    await database.execute("UPDATE kyc.customers SET status = 'verified' WHERE customer_id = $1", customer_id)
    assert before < inserted < updated == await version()
    assert (await kyc.answer("/check-status", {"customer_id": customer_id}))["version"] == updated

    rows = await database.fetch(
        "SELECT type, payload FROM kyc.outbox WHERE key = $1 ORDER BY id", customer_id
    )
    assert [row["type"] for row in rows] == ["kyc.changed"] * 2
    assert json.loads(rows[1]["payload"]) == {
        "customer_id": customer_id,
        "status": "verified",
        "level": "basic",
        "version": updated,
    }


async def test_a_slow_change_does_not_hide_behind_a_fast_one(kyc: Calls, database: Pool) -> None:
    """Version numbers become visible in their order, so whoever has seen n has missed nothing below it."""
    slow, fast = unique(), unique()
    async with database.acquire() as one, database.acquire() as two:
        transaction = one.transaction()
        await transaction.start()
        await one.execute(_INSERT, slow, "verified")
        other = asyncio.create_task(two.execute(_INSERT, fast, "verified"))
        await asyncio.sleep(0.3)
        assert not other.done()
        await transaction.commit()
        await other
    versions = [
        (await kyc.answer("/check-status", {"customer_id": customer}))["version"] for customer in (slow, fast)
    ]
    assert versions == sorted(versions)
    assert (await kyc.get("/version")).json() == {"version": versions[1]}


async def test_the_services_role_may_read_customers_only(stack: Stack) -> None:
    host, port = stack.servers.postgres
    connection = await asyncpg.connect(
        host=host, port=port, database=stack.servers.database, user="kyc", password="dev-kyc"
    )
    try:
        for statement in (
            "UPDATE kyc.customers SET status = 'verified'",
            "DELETE FROM kyc.customers",
            "UPDATE kyc.outbox SET payload = '{}'",
            "SELECT * FROM otp.challenges",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_strangers_are_turned_away(kyc: Calls) -> None:
    response = await kyc.http.post(kyc.url("/check-status"), json={"customer_id": "cust_001"})
    assert response.status_code == 401
    assert (await kyc.post("/check-status", {}, caller="otp-service")).status_code == 403
