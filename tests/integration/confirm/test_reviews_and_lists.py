"""Refusals, reviews, lists, histories, expiry, clean-up."""

import secrets
from typing import Any

from tests.integration.confirm.conftest import Customer, System

OVER_THE_REVIEW_LIMIT = 7_600_000


async def reviewed(system: System) -> tuple[Customer, dict[str, Any], str]:
    payer, payee = await system.customer(2 * OVER_THE_REVIEW_LIMIT), await system.customer()
    payment = await system.create(payer, payee, OVER_THE_REVIEW_LIMIT)
    key = secrets.token_hex(8)
    waiting = await system.confirm(payment, payer, key=key)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "requires_review"), waiting.text
    assert waiting.json()["risk"] is None  # why is nobody's business but the operator's
    return payer, payment, key


async def test_an_unverified_customer_is_refused_without_reasons(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    await system.database.execute(
        "UPDATE kyc.customers SET status = 'rejected' WHERE customer_id = $1", payer.id
    )
    payment = await system.create(payer, payee, 500)
    key = secrets.token_hex(8)
    refused = await system.confirm(payment, payer, key=key)
    assert (refused.status_code, refused.json()["code"]) == (403, "payment_refused")
    assert "kyc" not in refused.text.lower()
    assert (await system.confirm(payment, payer, key=key)).content == refused.content
    shown = await system.get(f"/v1/payments/{payment['id']}", actor=payer.id)
    assert shown.json()["status"] == "failed"
    assert shown.json()["failure"]["code"] == "payment_refused"
    assert "kyc_not_verified" not in shown.text
    inside = await system.get(f"/v1/payments/{payment['id']}", actor="olga", role="operator")
    assert "kyc_not_verified" in inside.json()["assessment"]["public"]["reasons"]
    history = await system.get(f"/v1/payments/{payment['id']}/events", actor=payer.id)
    assert "kyc_not_verified" not in history.text
    told = await system.database.fetchval(
        "SELECT payload::text FROM payments.outbox WHERE key = $1 AND topic = 'notification-events'",
        payment["id"],
    )
    assert "kyc_not_verified" not in told


async def test_an_approved_payment_goes_on_and_still_asks_for_the_password(system: System) -> None:
    payer, payment, key = await reviewed(system)
    again = await system.confirm(payment, payer, key=key)
    assert (again.status_code, again.json()["status"]) == (202, "requires_review")
    listed = await system.get("/v1/reviews", actor="olga", role="operator", limit=100)
    assert payment["id"] in [item["id"] for item in listed.json()["data"]]
    path = f"/v1/reviews/{payment['id']}/approve"
    assert (await system.post(path, actor=payer.id)).status_code == 403
    assert (await system.post(path, actor="ana", role="auditor")).status_code == 403
    approval = secrets.token_hex(8)
    approved = await system.post(path, actor="olga", role="operator", key=approval)
    assert (approved.status_code, approved.json()["status"]) == (200, "requires_action"), approved.text
    replay = await system.post(path, actor="olga", role="operator", key=approval)
    assert replay.content == approved.content
    assert (await system.post(path, actor="olga", role="operator")).status_code == 409
    done = await system.confirm(payment, payer, key=key, otp=await system.password(payer))
    assert (done.status_code, done.json()["status"]) == (200, "succeeded"), done.text
    assert await system.postings(payment) == 1


async def test_a_rejected_payment_has_failed(system: System) -> None:
    payer, payment, key = await reviewed(system)
    rejected = await system.post(f"/v1/reviews/{payment['id']}/reject", actor="olga", role="operator")
    assert (rejected.status_code, rejected.json()["status"]) == (200, "failed")
    late = await system.confirm(payment, payer, key=key)
    assert late.status_code == 409
    assert await system.postings(payment) == 0
    by = "SELECT reviewed_by FROM payments.payments WHERE id = $1"
    assert await system.database.fetchval(by, payment["id"]) == "olga"


async def test_a_customer_cancels_a_payment_under_review(system: System) -> None:
    payer, payment, _ = await reviewed(system)
    canceled = await system.post(f"/v1/payments/{payment['id']}/cancel", actor=payer.id)
    assert canceled.status_code == 200
    late = await system.post(f"/v1/reviews/{payment['id']}/approve", actor="olga", role="operator")
    assert late.status_code == 409


async def test_pages_show_everything_once(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    made = [(await system.create(payer, payee, n))["id"] for n in range(1, 8)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await system.get("/v1/payments", actor=payer.id, **query)).json()
        seen += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            break
        query["starting_after"] = seen[-1]
    assert seen == made[::-1]
    assert (await system.get("/v1/payments", actor=payee.id)).json()["data"] == []
    first = (await system.get(f"/v1/payments/{made[2]}", actor=payer.id)).json()["created_at"]
    since = await system.get("/v1/payments", actor=payer.id, created_gte=first)
    assert {item["id"] for item in since.json()["data"]} >= set(made[3:])
    done = await system.get("/v1/payments", actor=payer.id, status="succeeded")
    assert done.json()["data"] == []


async def test_wrong_queries_name_their_field(system: System) -> None:
    payer = await system.customer()
    for query, field in (
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"status": "gone"}, "status"),
        ({"created_gte": "yesterday"}, "created_gte"),
        ({"created_lte": "2026-01-01T00:00:00"}, "created_lte"),
        ({"starting_after": "a b"}, "starting_after"),
    ):
        response = await system.get("/v1/payments", actor=payer.id, **query)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


async def test_the_history_tells_every_change(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    await system.confirm(payment, payer)
    history = (await system.get(f"/v1/payments/{payment['id']}/events", actor=payer.id)).json()
    assert [(event["type"], event["status"]) for event in history["data"]] == [
        ("payment.created", "requires_confirmation"),
        ("payment.processing", "processing"),
        ("payment.succeeded", "succeeded"),
    ]
    assert {event["data"] for event in history["data"]} == {None}


async def test_unconfirmed_payments_expire_but_not_the_demo_one(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    payment = await system.create(payer, payee, 500)
    assert payment["expires_at"] is not None
    await system.database.execute(
        "UPDATE payments.payments SET created_at = created_at - interval '2 days' WHERE id = 'txn_001'"
    )
    await system.database.execute(
        "UPDATE payments.payments SET expires_at = now() WHERE id = $1", payment["id"]
    )
    await system.until(payment, "canceled", seconds=45)
    shown = (await system.get(f"/v1/payments/{payment['id']}", actor=payer.id)).json()
    assert shown["cancellation_reason"] == "expired" and shown["canceled_at"]
    assert (await system.events(payment))[-1] == "payment.canceled"
    assert await system.status({"id": "txn_001"}) == "requires_confirmation"


async def test_the_demo_payment_is_confirmed_as_the_original_showed(system: System) -> None:
    body = (
        b'{"transaction_id": "txn_001", "customer_id": "cust_001", "amount": 1000.00, '
        b'"from_account": "ACC001", "to_account": "ACC002"}'
    )
    done = await system.post("/payment/confirm", body, actor="cust_001")
    assert done.status_code == 200, done.text
    assert done.json()["status"] == "SUCCESS"
    system.stack.prepare()  # the seed runs again with each version
    assert await system.status({"id": "txn_001"}) == "succeeded"


async def test_old_keys_are_purged(system: System) -> None:
    payer, payee = await system.customer(10_000), await system.customer()
    key = secrets.token_hex(8)
    payment = await system.create(payer, payee, 500)
    await system.confirm(payment, payer, key=key)
    await system.database.execute(
        "UPDATE payments.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = $1", key
    )
    count = "SELECT count(*) FROM payments.idempotency_keys WHERE key = $1"
    for _ in range(450):
        if await system.database.fetchval(count, key) == 0:
            break
        await system.database.fetchval("SELECT pg_sleep(0.1)")
    assert await system.database.fetchval(count, key) == 0


async def test_the_role_owns_nothing_and_changes_no_history(system: System) -> None:
    owned = await system.database.fetchval(
        "SELECT count(*) FROM pg_class WHERE relowner = 'payments'::regrole"
    )
    assert owned == 0
    rights = await system.database.fetchrow(
        """SELECT has_table_privilege('payments', 'payments.outbox', 'DELETE') AS forget,
                  has_column_privilege('payments', 'payments.outbox', 'payload', 'UPDATE') AS rewrite,
                  has_table_privilege('payments', 'payments.payments', 'DELETE') AS lose,
                  has_schema_privilege('payments', 'accounts', 'USAGE') AS trespass"""
    )
    assert rights is not None and not any(rights.values())
